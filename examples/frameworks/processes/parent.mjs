import { fork } from 'node:child_process'
import { once } from 'node:events'
import { asyncSpan, logger, micromegasMain, traceHeaders } from 'micromegas'

const log = logger('import')

await micromegasMain(async () => {
  await asyncSpan('import', async () => {
    const child = fork(new URL('child.mjs', import.meta.url))
    child.send({ file: 'orders.csv', trace: traceHeaders() })
    const [code] = await once(child, 'exit')
    log.info`the child ended with code ${code}`
  })
})
