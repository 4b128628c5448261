/**
 * Reads a `Retry-After` header (RFC 9110 section 10.2.3): seconds, or a date.
 *
 * @param wallClockMs - The wall clock, which a date is compared with.
 * @returns Milliseconds from now, at least 0 and not capped; `undefined` when there is none or it is neither form.
 */
export function parseRetryAfter(header: string | undefined, wallClockMs: number): number | undefined {
  const text = header?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  // Every HTTP date starts with the name of a day; Date.parse alone would read "12.5" as a year.
  if (!/^(?:mon|tue|wed|thu|fri|sat|sun)/i.test(text)) return undefined
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - wallClockMs)
}
