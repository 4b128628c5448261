/**
 * Reports the public surface of both packages, an entry a file, in `docs/api/`, from the built declarations. `npm run api`
 * writes the reports; `npm run api -- --check` (part of `npm test`) fails where one is not up to date, or where a
 * signature names something that cannot be imported.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'

const root = fileURLToPath(new URL('../..', import.meta.url))
const check = process.argv.includes('--check')

interface Entry {
  readonly name: string
  readonly folder: string
  readonly declarations: string
}

const entries: readonly Entry[] = [
  { name: 'micromegas', folder: root, declarations: 'dist/index.d.ts' },
  { name: 'micromegas-http', folder: root, declarations: 'dist/http.d.ts' },
  { name: 'micromegas-interop-opentelemetry', folder: root, declarations: 'dist/interop/opentelemetry.d.ts' },
  { name: 'micromegas-interop-pino', folder: root, declarations: 'dist/interop/pino.d.ts' },
  { name: 'micromegas-interop-winston', folder: root, declarations: 'dist/interop/winston.d.ts' },
  { name: 'micromegas-query', folder: root, declarations: 'dist/query.d.ts' },
  { name: 'micromegas-wire', folder: root, declarations: 'dist/wire.d.ts' },
  { name: 'micromegas-server', folder: join(root, 'server'), declarations: 'dist/index.d.ts' },
]

/** The declarations are read as an installed package's are: no `paths` to sources. */
const COMPILER = {
  compilerOptions: {
    target: 'es2022',
    module: 'nodenext',
    moduleResolution: 'nodenext',
    lib: ['es2023', 'esnext.disposable'],
    types: ['node'],
    strict: true,
    skipLibCheck: true,
  },
}

const reportFolder = join(root, 'docs/api')
const temporary = mkdtempSync(join(tmpdir(), 'micromegas-api-'))
mkdirSync(reportFolder, { recursive: true })
let problems = 0
try {
  for (const { name, folder, declarations } of entries) {
    const config = ExtractorConfig.prepare({
      configObjectFullPath: join(folder, 'api-extractor.json'), // need not exist: only its folder counts
      packageJsonFullPath: join(folder, 'package.json'),
      configObject: {
        projectFolder: folder,
        mainEntryPointFilePath: join(folder, declarations),
        compiler: { overrideTsconfig: COMPILER },
        apiReport: {
          enabled: true,
          reportFolder,
          reportTempFolder: temporary,
          reportFileName: name,
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        messages: {
          compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
          extractorMessageReporting: {
            default: { logLevel: ExtractorLogLevel.None },
            'ae-forgotten-export': { logLevel: ExtractorLogLevel.Error },
          },
          tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        },
      },
    })
    const result = Extractor.invoke(config, {
      localBuild: !check,
      messageCallback: (message) => {
        message.handled = true
        if (
          message.logLevel !== ExtractorLogLevel.Error &&
          message.messageId !== 'console-api-report-not-copied'
        )
          return
        problems++
        console.error(`${name}: ${message.text}`)
      },
    })
    if (result.apiReportChanged && check) {
      problems++
      console.error(
        `${name}: docs/api/${name}.api.md is not up to date: run \`npm run api\` and read the difference`,
      )
    }
  }
} finally {
  rmSync(temporary, { recursive: true, force: true })
}
if (problems > 0) process.exitCode = 1
