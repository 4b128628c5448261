import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const PAGE = fileURLToPath(new URL('../../../docs/interop.md', import.meta.url))
const SECTION = /^### Auto-instrumentations$([\s\S]*?)^### /m
const FILE = /^```(?:mjs|cjs)\n\/\/ (?<name>\S+)\n(?<text>[\s\S]*?)^```$/gm
const COMMANDS = /^```sh\n(?<lines>[\s\S]*?)^```$/gm

/** A way to start a program that the documentation names. */
export interface DocumentedCommand {
  /** As it is in the page. */
  readonly line: string
  /** What follows `node`. */
  readonly args: readonly string[]
  /** What the lines before it export. */
  readonly env: Readonly<Record<string, string>>
}

/** The set-up with auto-instrumentations, as the page on interoperability has it. */
export function readDocumentedSetUp(): {
  readonly files: Readonly<Record<string, string>>
  readonly commands: readonly DocumentedCommand[]
} {
  const section = SECTION.exec(readFileSync(PAGE, 'utf8'))![1]!
  const files = Object.fromEntries(
    [...section.matchAll(FILE)].map(({ groups }) => [groups!.name!, groups!.text!]),
  )
  const commands: DocumentedCommand[] = []
  for (const { groups } of section.matchAll(COMMANDS)) {
    const env: Record<string, string> = {}
    for (const line of groups!.lines!.split('\n')) {
      const [first, ...words] = line.split(' ')
      if (first === 'export') Object.assign(env, Object.fromEntries(words.map((word) => word.split('='))))
      if (first === 'node') commands.push({ line, args: words, env: { ...env } })
    }
  }
  return { files, commands }
}
