/** A server in a process of its own, to be killed: prints its URL and goes on until then. */
import { startServer } from 'micromegas-server'

const server = await startServer({
  port: 0,
  disableAuth: true,
  dataDir: process.argv[2],
  onEvent: () => {},
})
process.stdout.write(`${server.url}\n`)
