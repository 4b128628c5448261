import run from './modules.mjs'

await run()
