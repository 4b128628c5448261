import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const entry = fileURLToPath(new URL('../src/sink/exit/exit-worker.ts', import.meta.url))

/** The module `exit-worker-source.ts`, made from the program. */
export async function inlineExitWorker(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    minify: true,
    legalComments: 'none',
  })
  const program = outputFiles[0]!.text.trim()
  return `// Made by scripts/inline-exit-worker.ts from exit-worker.ts; not to be edited.
/** The program of the thread that sends what is left when a process ends. */
export const EXIT_WORKER_SOURCE: string = ${JSON.stringify(program)}
`
}
