import assert from 'node:assert'
import { once } from 'node:events'
import { pino } from 'pino'

const one = pino.transport({ target: 'micromegas/interop/pino' })
const several = pino.transport({ targets: [{ target: 'micromegas/interop/pino' }, { target: 'pino/file' }] })
for (const [error] of await Promise.all([once(one, 'error'), once(several, 'error')])) {
  assert.match(error.message, /^Cannot record from a pino transport: .* Log to the stream instead/)
}
