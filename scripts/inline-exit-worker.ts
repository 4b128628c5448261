/**
 * Bundles `src/sink/exit/exit-worker.ts` into the text that `exit-worker-source.ts` exports. Run by `npm run build`; the
 * result is in the repository, so that tests and tools that run the sources need no build.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { inlineExitWorker } from './exit-worker-text.ts'

const file = fileURLToPath(new URL('../src/sink/exit/exit-worker-source.ts', import.meta.url))
const text = await inlineExitWorker()
// Others may be reading it: the linter runs beside the build.
if (readFileSync(file, 'utf8') !== text) writeFileSync(file, text)
