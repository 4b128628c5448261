import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** A file of the page, compressed as the build made it. */
export interface PageFile {
  readonly gzipped: Uint8Array<ArrayBuffer>
  readonly type: string
  /** Whether the name changes with the contents. */
  readonly hashed: boolean
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

/** Beside the built server, or in its build when the server runs from its sources. */
const PLACES = ['./page/', '../../dist/page/']

/** The files of the page by name, `index.html` among them; none when the build is not there, as in a bundle of the server. */
export async function readPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  for (const place of PLACES) {
    const directory = fileURLToPath(new URL(place, import.meta.url))
    const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
      throw error
    })
    const files = names.filter((name) => name.endsWith('.gz'))
    if (!files.includes('index.html.gz')) continue
    return new Map(
      await Promise.all(
        files.map(async (file) => {
          const name = file.slice(0, -'.gz'.length)
          const gzipped = new Uint8Array(await readFile(`${directory}${file}`))
          const type = TYPES[name.split('.').at(-1)!] ?? 'application/octet-stream'
          return [name, { gzipped, type, hashed: /-[\da-f]{12}\.\w+$/.test(name) }] as const
        }),
      ),
    )
  }
  return new Map()
}
