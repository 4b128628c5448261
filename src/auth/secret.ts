const HIDDEN = '[secret]'

/**
 * Holds a key, secret or token so that printing what contains it shows `[secret]`: template strings, `JSON.stringify`,
 * `util.inspect` (`showHidden` included) and string concatenation. Only {@link reveal} gives the value.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself, to be put on the wire and nowhere else. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return HIDDEN
  }

  toJSON(): string {
    return HIDDEN
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return HIDDEN
  }
}

/** Every spelling in which a secret travels, and so may come back in somebody's error message. */
function spellings(value: string): string[] {
  const url = encodeURIComponent(value)
  // The form that openid-client puts into a Basic header escapes every sign but letters and digits.
  const strict = url.replaceAll(/[-_.!~*'()]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
  const escaped = [
    url,
    new URLSearchParams({ v: value }).toString().slice(2),
    strict,
    strict.replaceAll('%20', '+'),
  ]
  const inSmallLetters = escaped.map((text) => text.replaceAll(/%../g, (code) => code.toLowerCase()))
  // The padding is left out: what follows the value in a longer Base64 text changes it.
  const base64 = Buffer.from(value, 'utf8').toString('base64').replace(/=+$/, '')
  return [value, JSON.stringify(value).slice(1, -1), base64, ...escaped, ...inSmallLetters]
}

/** Matches any of the texts; the longest, where several begin at the same place. `undefined` for none. */
function anyOf(texts: Iterable<string>): RegExp | undefined {
  const sorted = [...new Set(texts)].filter((text) => text !== '').sort((a, b) => b.length - a.length)
  if (sorted.length === 0) return undefined
  return new RegExp(sorted.map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'g')
}

/**
 * Text of others made fit for a log line: secrets replaced, control characters (which forge log lines) turned into
 * spaces, at most `maxLength` characters.
 *
 * @param secrets - What must not appear, in plain, JSON, URL, form or Base64 spelling.
 */
export function sanitizeText(text: string, secrets: readonly Secret[], maxLength: number): string {
  const hidden = anyOf(secrets.flatMap((secret) => spellings(secret.reveal())))
  let clean = hidden === undefined ? text : text.replaceAll(hidden, HIDDEN)
  clean = clean.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  return clean.length > maxLength ? `${clean.slice(0, maxLength)}…` : clean
}
