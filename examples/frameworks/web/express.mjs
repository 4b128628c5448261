import express from 'express'
import { asyncSpan, currentSpan, logger, micromegasMain } from 'micromegas'
import { instrumentServer } from 'micromegas/http'
import { serve } from './serve.mjs'

const log = logger('shop')
const app = express()

app.get('/users/:id', async (request, response) => {
  const user = await asyncSpan('query users', async () => ({ id: request.params.id }))
  log.info`found user ${user.id}`
  response.json(user)
})

app.get('/pay', async () => {
  throw new RangeError('no card')
})

// The last middleware: Express hands it what the others throw.
app.use((error, _request, response, _next) => {
  currentSpan()?.fail(error)
  log.error('request failed', error)
  response.status(500).json({ error: 'internal error' })
})

await micromegasMain(({ signal }) =>
  serve(instrumentServer(app.listen(Number(process.env.PORT ?? 8000))), signal),
)
