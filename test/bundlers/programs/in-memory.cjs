// The first sample of docs/testing.md; throws unless the log is there.
module.exports = async function recordInMemory({ InMemoryEventSink, initTelemetry, logger }) {
  const memory = new InMemoryEventSink()
  const env = process.env.MICROMEGAS_TELEMETRY_URL
  delete process.env.MICROMEGAS_TELEMETRY_URL
  const telemetry = initTelemetry({ localSinkEnabled: false, sinks: [{ sink: memory }] })
  process.env.MICROMEGAS_TELEMETRY_URL = env
  logger('shop').warn('stock is low', { item: 'tea' })
  await telemetry.flush()
  const messages = memory.logs().map(({ msg }) => msg)
  if (messages.join() !== 'stock is low') throw new Error(`it has ${JSON.stringify(messages)}`)
  await telemetry.shutdown()
}
