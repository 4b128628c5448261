const HIDDEN = '[secret]'
/** Stands for {@link HIDDEN} until all secrets are found; no secret holds it. */
const MARK = '\0'

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

/** True for the secrets of any copy of this package: the ESM and the CommonJS build may meet in one process. */
export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && typeof (value as Secret).reveal === 'function'
}

/** Every spelling in which a secret travels, and so may come back in somebody's error message. */
function spellings(value: string): string[] {
  const url = encodeURIComponent(Buffer.from(value, 'utf8').toString()) // it throws for a lone surrogate
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

/**
 * Text of others made fit for a log line: secrets replaced, control characters (which forge log lines) turned into
 * spaces, at most `maxLength` characters.
 *
 * @param secrets - What must not appear, in plain, JSON, URL, form or Base64 spelling.
 */
export function sanitizeText(text: string, secrets: readonly Secret[], maxLength: number): string {
  const hidden = new Set(secrets.flatMap((secret) => spellings(secret.reveal())))
  hidden.delete('')
  // Longest first, since one may be a part of another. Not by a regular expression: secrets may be too long for one.
  let clean = text.replaceAll(MARK, ' ')
  for (const spelling of [...hidden].sort((a, b) => b.length - a.length))
    clean = clean.replaceAll(spelling, MARK)
  clean = clean
    .replaceAll(MARK, HIDDEN)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
  return clean.length > maxLength ? `${clean.slice(0, maxLength)}…` : clean
}
