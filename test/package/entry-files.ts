import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A file of the build and every file of the build that it imports or may import later. */
export function entryFiles(entry: string): string[] {
  const found = new Set<string>()
  const follow = (file: string): void => {
    if (found.has(file)) return
    found.add(file)
    const code = readFileSync(file, 'utf8')
    for (const [, specifier] of code.matchAll(/(?:from|import|require)\s*\(?\s*["'](\.[^"']+)["']/g)) {
      follow(join(dirname(file), specifier!))
    }
  }
  follow(entry)
  return [...found]
}
