const ELLIPSIS = '…'
/** Room for what {@link truncate} adds. */
const NOTE_CHARS = 36

/** Cuts a text that is longer than `maxChars`, and says how much is missing; that note counts towards the limit. */
export function truncate(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text
  const kept = head(text, maxChars - NOTE_CHARS)
  return `${kept}${ELLIPSIS} [${text.length - kept.length} more characters]`
}

/** The first `chars` UTF-16 code units, one less where that would cut a surrogate pair. */
export function head(text: string, chars: number): string {
  if (text.length <= chars) return text
  const last = text.charCodeAt(chars - 1)
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? chars - 1 : chars)
}

/** Collects text up to a limit; `full` tells the renderers to stop. */
export class BoundedText {
  text = ''
  full = false
  readonly #maxChars: number

  constructor(maxChars: number) {
    this.#maxChars = maxChars
  }

  write(text: string): void {
    if (this.full) return
    if (this.text.length + text.length > this.#maxChars) {
      this.text = head(this.text + text, this.#maxChars - ELLIPSIS.length) + ELLIPSIS
      this.full = true
    } else {
      this.text += text
    }
  }
}

/** What a read gives, or the fallback where it throws: getters and proxies of the host may. */
export function safely<T>(read: () => T, fallback: T): T {
  try {
    return read()
  } catch {
    return fallback
  }
}
