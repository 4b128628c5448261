import { asyncSpan, imetric, logger, micromegasMain } from 'micromegas'

const log = logger('cleanup')
const removed = imetric('removed_orders', 'count')

// crontab: 0 3 * * * node /app/cron-job.mjs 30 >> /var/log/cleanup.log 2>&1
await micromegasMain(async () => {
  const days = Number(process.argv[2])
  if (!(days > 0)) {
    log.error('usage: cron-job.mjs DAYS')
    return 64 // delivered first; cron, systemd and Kubernetes see the code
  }
  await asyncSpan('cleanup', { properties: { days } }, async () => {
    if (days > 365) throw new RangeError('orders of a year ago are in the archive') // exit code 1
    removed.record(12)
    log.info`removed orders older than ${days} days`
  })
})
