/**
 * Builds the page into `server/dist/page`: one script, one stylesheet, the document, each compressed. Names of scripts
 * and styles carry a hash of what is in them, so that browsers may keep them for good. The licences of what is bundled lie beside them.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const target = source('../dist/page')

const { outputFiles, metafile } = await build({
  entryPoints: [source('src/main.tsx')],
  outdir: target,
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
})

rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })

function emit(name: string, contents: Uint8Array): void {
  writeFileSync(`${target}/${name}.gz`, gzipSync(contents, { level: 9 }))
}

let html = readFileSync(source('index.html'), 'utf8')
for (const [plain, end] of [
  ['page.js', '.js'],
  ['page.css', '.css'],
] as const) {
  const file = outputFiles.find(({ path }) => path.endsWith(end))
  if (file === undefined) throw new Error(`the build made no ${end} file`)
  const hash = createHash('sha256').update(file.contents).digest('hex').slice(0, 12)
  const name = `page-${hash}${end}`
  html = html.replace(`"${plain}"`, `"${name}"`)
  emit(name, file.contents)
}
emit('index.html', Buffer.from(html))
emit('icon.svg', readFileSync(source('icon.svg')))

/** The folders of the packages of which parts are in the script. */
const folders = new Set(
  Object.keys(metafile.inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []),
)
const notices = [...folders].sort().map((folder) => {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const licence = readdirSync(folder).find((entry) => /^licen[cs]e(\.|$)/i.test(entry))
  if (licence === undefined) throw new Error(`Cannot find the licence of ${name}`)
  return `${name} ${version}\n\n${readFileSync(join(folder, licence), 'utf8').trim()}\n`
})
writeFileSync(
  `${target}/THIRD-PARTY-NOTICES.txt`,
  `The page contains, bundled, parts of these packages.\n\n${notices.join('\n')}`,
)
