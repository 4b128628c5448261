// What the test runners' files do: record, flush, record again, shut down; throws unless everything was delivered.
module.exports = async function recordAndShutDown({ imetric, initTelemetry, logger }) {
  const telemetry = initTelemetry({ localSinkEnabled: false, systemMetrics: false })
  const before = telemetry.stats.recording
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
  // Besides these, the process's account of itself.
  const { log: logs, metrics } = telemetry.stats.recording
  const newLogs = logs.recorded - before.log.recorded
  const newMetrics = metrics.recorded - before.metrics.recorded
  if (newLogs !== 1_001 || newMetrics < 1_000) throw new Error('not everything was recorded')
  const recorded = newLogs + newMetrics
  if (delivered !== recorded) throw new Error(`${delivered} of ${recorded} events were delivered`)
}
