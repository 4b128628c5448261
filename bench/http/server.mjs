/** Answers requests; over its channel it tells its port and, when asked, the processor time it has taken. */
import http from 'node:http'

const server = http.createServer((_, response) => response.end('ok'))
server.listen(0, '127.0.0.1', () => process.send(server.address().port))
process.on('message', () => process.send(process.cpuUsage()))
