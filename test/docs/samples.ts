import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A fenced block of TypeScript or JavaScript in a page. */
export interface Sample {
  /** Page and line of the fence, such as `docs/recording.md:14`. */
  readonly place: string
  readonly language: 'ts' | 'js'
  readonly code: string
  /** Only checked for types: the line above its fence is `<!-- sample: types -->`, because it waits or needs a server. */
  readonly typesOnly: boolean
}

const FENCE = /^(?:<!-- sample: (?<mark>types) -->\n)?```(?<language>ts|js)\n(?<code>[\s\S]*?)^```$/gm

/** The samples of the README and of each page in docs/. */
export function readSamples(root: string): readonly Sample[] {
  const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)]
  return pages
    .filter((page) => page.endsWith('.md'))
    .flatMap((page) => samplesOf(page, readFileSync(join(root, page), 'utf8')))
}

function samplesOf(page: string, text: string): Sample[] {
  return [...text.matchAll(FENCE)].map((match) => ({
    place: `${page}:${text.slice(0, match.index).split('\n').length}`,
    language: match.groups!.language as 'ts' | 'js',
    code: match.groups!.code!,
    typesOnly: match.groups!.mark === 'types',
  }))
}
