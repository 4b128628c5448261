/** Logs an error through each bridge and reads what was recorded. Given the modules, as a set-up has loaded them. */
module.exports = async function record({ micromegas, pinoBridge, winstonBridge, pino, winston }) {
  const memory = new micromegas.InMemoryEventSink()
  const telemetry = micromegas.initTelemetry({
    sinks: [{ sink: memory }],
    localSinkEnabled: false,
    systemMetrics: false,
  })
  const error = new TypeError('refused')
  pino({ name: 'pino-shop' }, pinoBridge.micromegasPinoStream()).error(error, 'by pino')
  const transport = new winstonBridge.MicromegasWinstonTransport({ target: 'winston-shop' })
  winston.createLogger({ transports: [transport] }).error('by winston', error)
  await telemetry.shutdown()
  const shown = memory.logs().map(({ target, msg }) => `${target}: ${msg.split('\n').slice(0, 3).join('|')}`)
  const expected = [
    /^pino-shop: by pino\|TypeError: refused\| {4}at /,
    /^winston-shop: by winston refused\|TypeError: refused\| {4}at /,
  ]
  if (shown.length !== 2 || !expected.every((pattern, i) => pattern.test(shown[i]))) {
    throw new Error(`not what was logged:\n${shown.join('\n')}`)
  }
}
