import { once } from 'node:events'
import { continueTrace, logger, micromegasMain } from 'micromegas'

const log = logger('import')

await micromegasMain(async () => {
  const [{ file, trace }] = await once(process, 'message')
  process.disconnect()
  await continueTrace(trace, 'read file', { properties: { file } }, () => {
    log.info`reading ${file}`
  })
})
