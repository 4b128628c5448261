/**
 * Packs both packages, installs the tarballs into an empty project, and uses them there as consumers do: from ESM, from
 * CommonJS, from TypeScript with both module resolutions, and by their commands. Run by `npm run test:package`.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundledPackages } from '../../scripts/bundled-packages.ts'
import { packPackage } from '../../scripts/pack-package.ts'
import { entryFiles } from './entry-files.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const project = mkdtempSync(join(tmpdir(), 'micromegas-consumer-'))

function run(title: string, command: string, args: readonly string[], cwd = project): string {
  process.stdout.write(`• ${title}\n`)
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

function pack(directory: string): string {
  const { path, size, unpackedSize } = packPackage(project, directory)
  console.log(`• npm pack\n  ${basename(path)}: ${size} bytes, ${unpackedSize} unpacked`)
  return path
}

try {
  run('npm run build', 'npm', ['run', 'build'], root)
  const notices = readFileSync(join(root, 'THIRD-PARTY-NOTICES.md'), 'utf8')
  for (const { name, version } of bundledPackages(root)) {
    if (notices.includes(`\n## ${name} ${version}\n`)) continue
    throw new Error(`THIRD-PARTY-NOTICES.md lacks ${name} ${version}: npm run notices`)
  }
  for (const entry of ['index.js', 'index.cjs']) {
    const files = entryFiles(join(root, 'dist', entry))
    const heavy = files.filter((file) => /grpc-js|flechette/.test(file + readFileSync(file, 'utf8')))
    if (heavy.length > 0) throw new Error(`${entry} loads parts of the query client: ${heavy.join(', ')}`)
  }
  const tarball = pack(root)
  run('publint', 'npx', ['publint', 'run', tarball, '--strict'], root)
  run('are the types wrong', 'npx', ['attw', tarball, '--profile', 'node16'], root)
  const serverTarball = pack(join(root, 'server'))
  run('publint', 'npx', ['publint', 'run', serverTarball, '--strict'], root)
  run('are the types wrong', 'npx', ['attw', serverTarball, '--profile', 'esm-only'], root)

  cpSync(join(root, 'test/package/consumers'), project, { recursive: true })
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true }))
  run('npm install', 'npm', ['install', '--no-audit', '--no-fund', tarball])
  const tree = run('dependency tree', 'npm', ['ls', '--all', '--parseable']).trim().split('\n')
  console.log(`  ${tree.length - 1} packages`)
  run('npm install of the server', 'npm', ['install', '--no-audit', '--no-fund', tarball, serverTarball])
  process.stdout.write(run('ESM', process.execPath, ['esm/index.mjs', join(project, 'data-esm')]))
  process.stdout.write(run('CommonJS', process.execPath, ['cjs/index.cjs', join(project, 'data-cjs')]))
  run('the command', 'npx', ['micromegas-server', '--help'])
  run('npm install typescript', 'npm', [
    'install',
    '--no-audit',
    '--no-fund',
    'typescript@5.9',
    '@types/node@20',
  ])
  const { exports, typesVersions } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const subpaths = Object.keys(exports).filter((path) => path !== '.' && path !== './package.json')
  const listed = Object.keys(typesVersions['*']).map((path) => `./${path}`)
  if (listed.sort().join() !== subpaths.sort().join()) {
    throw new Error(`typesVersions has ${listed}, exports has ${subpaths}`)
  }
  const compile = (settings: string): void => {
    run(`TypeScript, ${settings}`, 'npx', ['tsc', '-p', `types/tsconfig.${settings}.json`])
  }
  for (const settings of ['node10', 'node16', 'bundler', 'plain']) compile(settings)
  run('npm install typescript 7', 'npm', ['install', '--no-audit', '--no-fund', 'typescript@7'])
  compile('plain') // as a compiler is without a configuration: no `lib`, no `types`, declarations checked too
  console.log('the package works for its consumers')
} finally {
  rmSync(project, { recursive: true, force: true })
}
