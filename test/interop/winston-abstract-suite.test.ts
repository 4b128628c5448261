import { createRequire } from 'node:module'
import { afterAll, afterEach, beforeEach, describe, it } from 'vitest'
import { MicromegasWinstonTransport } from '../../src/interop/winston.ts'

type Body = (done: (error?: unknown) => void) => void

/** The suite that winston has for its transports, from the registry, as it is. It is written for mocha. */
const suite = createRequire(import.meta.url)('abstract-winston-transport') as (options: object) => void

function awaited(body: Body): () => Promise<void> {
  return () =>
    new Promise((resolve, reject) => {
      body((error) => (error === undefined ? resolve() : reject(error)))
      if (body.length === 0) resolve()
    })
}

Object.assign(globalThis, {
  describe,
  it: (name: string, body: Body) => it(name, awaited(body)),
  beforeEach: (body: Body) => beforeEach(awaited(body)),
  afterEach: (body: Body) => afterEach(awaited(body)),
  after: (body: Body) => afterAll(awaited(body)),
})
suite({ name: 'MicromegasWinstonTransport', Transport: MicromegasWinstonTransport })
