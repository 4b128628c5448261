// What the test runners' files do: record, flush, record again, shut down; throws unless everything was delivered.
module.exports = async function recordAndShutDown({ imetric, initTelemetry, logger }) {
  const telemetry = initTelemetry({ localSinkEnabled: false, systemMetrics: false })
  const log = logger('tested')
  const metric = imetric('tested', 'count')
  for (let i = 0; i < 1_000; i++) {
    log.info`event ${i}`
    metric.record(i)
  }
  const flushed = await telemetry.flush()
  log.info('last')
  const ended = await telemetry.shutdown()
  const delivered = flushed.delivered.events + ended.delivered.events
  if (delivered !== 2_001) throw new Error(`${delivered} of 2001 events were delivered`)
}
