import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** A file of this checkout as if it were below `/app`, which is how the script of the conformance test expects it. */
export function inThisTree(file: string): string {
  return file.startsWith(ROOT) ? `/app/${file.slice(ROOT.length)}` : file
}
