/** Texts that are written once and referred to by number; past these bounds a text is written where it stands. */
const MAX_TEXTS = 50_000
const MAX_CHARS = 4_000_000

/** What stands once in a trace, by kind: the number of each text. */
export class Interned {
  readonly #numbers = new Map<string, number>()
  #chars = 0

  /** @returns The text's number, negative the first time; 0 for one that is to be written where it stands. */
  numberOf(text: string): number {
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    if (this.#numbers.size >= MAX_TEXTS || this.#chars + text.length > MAX_CHARS) return 0
    const number = this.#numbers.size + 1
    this.#numbers.set(text, number)
    this.#chars += text.length
    return -number
  }
}
