/**
 * Control characters, and those that reorder text: a log line must not move the cursor, change the title of a terminal,
 * or show something else than it holds. Line feeds and tabs are handled apart.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

const CONTINUATION = '\n    '

/** Shows what a terminal would act on as escapes such as `\x1b`. Line feeds stay and are indented: no forged line. */
export function printableText(text: string): string {
  const lines = text.replaceAll('\r\n', '\n').replaceAll('\n', CONTINUATION)
  return lines.replace(UNPRINTABLE, escaped)
}

/** The same on one line, in quotes where it would not read as one word. */
export function printableWord(text: string): string {
  if (/^[^\s"=\\]+$/.test(text) && text.search(UNPRINTABLE) < 0) return text
  return JSON.stringify(text).replace(UNPRINTABLE, escaped)
}

function escaped(character: string): string {
  const code = character.charCodeAt(0)
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`
}
