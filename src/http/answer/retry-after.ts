/**
 * Reads a `Retry-After` header (RFC 9110, section 10.2.3): whole seconds, or an HTTP date.
 *
 * @param date - The answer's own `Date` header. A date is counted from it when it is readable, so that a clock that is
 * wrong here, or steps, does not matter.
 * @param nowMs - Wall clock, milliseconds since the Unix epoch.
 * @returns Milliseconds from now, at least 0; `undefined` when there is no readable value.
 */
export function parseRetryAfter(
  value: string | undefined,
  date: string | undefined,
  nowMs: number,
): number | undefined {
  const text = value?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const at = parseHttpDate(text)
  if (at === undefined) return undefined
  return Math.max(0, at - (parseHttpDate(date ?? '') ?? nowMs))
}

/** `Date.parse` reads nearly any text (`-5` is a year): only what starts as an HTTP date does is handed to it. */
function parseHttpDate(text: string): number | undefined {
  if (!/^[A-Za-z]{3,9},? /.test(text)) return undefined
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}
