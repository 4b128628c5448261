/** Authenticates uploads with a signature of the body, for a gateway that checks it before the ingestion server. */
import { createHmac } from 'node:crypto'
import { type DecoratedRequest, initTelemetry, logger, type RequestDecorator } from 'micromegas'

class HmacRequestDecorator implements RequestDecorator {
  readonly #key: Buffer

  constructor(key: Buffer) {
    this.#key = key
  }

  decorate(request: DecoratedRequest): void {
    const signedAt = new Date().toISOString()
    const signature = createHmac('sha256', this.#key)
      .update(`${request.method}\n${request.url.pathname}\n${signedAt}\n`)
      .update(request.body)
      .digest('base64')
    request.headers.set('x-signed-at', signedAt)
    request.headers.set('x-signature', signature)
  }
}

await using telemetry = initTelemetry({
  telemetryUrl: process.env.MICROMEGAS_TELEMETRY_URL ?? 'http://127.0.0.1:8081',
  decoratorFactory: () => new HmacRequestDecorator(Buffer.from('a shared key')),
})
logger('custom').info('signed')
console.log(await telemetry.flush({ signal: AbortSignal.timeout(5000) }))
