// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is made visible
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** A text for one line, with what turns or hides its neighbours spelled out. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) =>
    character === '\t' ? ' ' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
