/** One member of a JSON object: its name, and its value as it stands in the text. */
export interface JsonMember {
  readonly name: string
  readonly json: string
}

/**
 * The members of a JSON object, in the order and as often as they stand in its text; `undefined` for any other text.
 * Values are not parsed: numbers keep their digits, and duplicates, which pino writes, can be told apart. Inside nested
 * objects and arrays only the brackets are checked. Takes time linear in the length, and no stack.
 */
export function readMembers(text: string): JsonMember[] | undefined {
  let at = skipSpace(text, 0)
  if (text.charCodeAt(at) !== OPEN_BRACE) return undefined
  const members: JsonMember[] = []
  at = skipSpace(text, at + 1)
  let isOpen = text.charCodeAt(at) !== CLOSE_BRACE
  while (isOpen) {
    const nameEnd = endOfString(text, at)
    const name = nameEnd < 0 ? undefined : parseString(text.slice(at, nameEnd))
    at = skipSpace(text, nameEnd)
    if (name === undefined || text.charCodeAt(at) !== COLON) return undefined
    at = skipSpace(text, at + 1)
    const end = endOfValue(text, at)
    if (end < 0) return undefined
    members.push({ name, json: text.slice(at, end) })
    at = skipSpace(text, end)
    isOpen = text.charCodeAt(at) === COMMA
    if (isOpen) at = skipSpace(text, at + 1)
    else if (text.charCodeAt(at) !== CLOSE_BRACE) return undefined
  }
  return skipSpace(text, at + 1) === text.length ? members : undefined
}

/** The text of a JSON value: strings as they are, everything else as it is written; `undefined` for null. */
export function textOfJson(json: string): string | undefined {
  if (json.charCodeAt(0) === QUOTE) return parseString(json) ?? json
  return json === 'null' ? undefined : json
}

const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const COMMA = 0x2c

const TOKEN = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

function skipSpace(text: string, at: number): number {
  for (;;) {
    const code = text.charCodeAt(at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at
    at++
  }
}

/** Where the string that begins at `at` ends, its quote included; negative when there is none. */
function endOfString(text: string, at: number): number {
  if (text.charCodeAt(at) !== QUOTE) return -1
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return end + 1
  }
  return -1
}

function parseString(json: string): string | undefined {
  if (!json.includes('\\')) return json.slice(1, -1)
  try {
    return JSON.parse(json) as string
  } catch {
    return undefined // an escape that JSON does not have
  }
}

function endOfValue(text: string, at: number): number {
  const code = text.charCodeAt(at)
  if (code === QUOTE) return endOfString(text, at)
  if (code === OPEN_BRACE || code === OPEN_BRACKET) return endOfNested(text, at)
  let end = at
  for (let digit = code; digit >= 0x30 && digit <= 0x39; digit = text.charCodeAt(end)) end++
  const delimiter = text.charCodeAt(end)
  // A number from 1 on without anything else: most are.
  if (code !== 0x30 && end > at && (delimiter === COMMA || delimiter === CLOSE_BRACE)) return end
  TOKEN.lastIndex = at
  return TOKEN.test(text) ? TOKEN.lastIndex : -1
}

function endOfNested(text: string, at: number): number {
  const closers: number[] = []
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) {
      i = endOfString(text, i) - 1
      if (i < 0) return -1
    } else if (code === OPEN_BRACE) {
      closers.push(CLOSE_BRACE)
    } else if (code === OPEN_BRACKET) {
      closers.push(CLOSE_BRACKET)
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      if (closers.pop() !== code) return -1
      if (closers.length === 0) return i + 1
    }
  }
  return -1
}
