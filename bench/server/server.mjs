// A server in a process of its own, which says what it costs: node server.mjs DATA_DIR.
import { startServer } from 'micromegas-server'

const [dataDir] = process.argv.slice(2)
const server = await startServer({ port: 0, flightPort: 0, dataDir, disableAuth: true, onEvent() {} })
// Whoever measured has failed.
process.on('disconnect', () => process.exit())
process.on('message', async (what) => {
  if (what === 'close') {
    await server.close()
    process.disconnect()
    return
  }
  const { user, system } = process.cpuUsage()
  process.send({ cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() })
})
process.send({ url: server.url, flightUri: server.flightUri })
