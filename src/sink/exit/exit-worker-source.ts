/**
 * The program of the thread that sends what is left when a process ends; see `exit-delivery.ts`. It is a text, with
 * nothing but Node's own modules, so that it works from any bundle.
 *
 * It gets requests as messages and writes what became of each into shared memory, since the thread that waits runs no
 * code: the answer's status, and the count of the finished ones. While the service fails there is one request at a time,
 * after a short wait; an answer below 500 that is no delivery is final, for there is nobody left to authenticate again.
 */
export const EXIT_WORKER_SOURCE: string = `'use strict'
const http = require('node:http')
const https = require('node:https')
const tls = require('node:tls')
const net = require('node:net')
const { isIP } = net
const { parentPort, workerData } = require('node:worker_threads')

const { service, proxy, concurrency, attemptTimeoutMs, deadlineNs, control, statuses } = workerData
const secure = service.protocol === 'https:'
const waiting = []
let running = 0
let failures = 0
let paused = false

const leftMs = () => Number(deadlineNs - process.hrtime.bigint()) / 1e6

/**
 * A tunnel through the proxy, for https; plain http is asked of the proxy itself (RFC 9112, section 3.2.2). By hand: Node
 * takes an interim answer to CONNECT for the tunnel.
 */
function connectThroughProxy(options, callback) {
  const { hostname: host, port } = proxy
  const servername = isIP(host) ? '' : host
  const socket = proxy.protocol === 'https:' ? tls.connect({ host, port, servername }) : net.connect({ host, port })
  let done = false
  const end = (error, encrypted) => {
    if (done) return
    done = true
    if (error) socket.destroy()
    callback(error, encrypted)
  }
  socket.on('error', end)
  socket.on('close', () => end(new Error('the proxy closed the connection')))
  const lines = Object.entries({ host: service.authority, ...proxy.headers }).map(([name, value]) => name + ': ' + value)
  socket.write(['CONNECT ' + service.authority + ' HTTP/1.1', ...lines, '', ''].join('\\r\\n'))
  let head = ''
  const read = (chunk) => {
    head += chunk.toString('latin1')
    const answer = /^(?:HTTP\\/1\\.\\d 1\\d\\d[^]*?\\r\\n\\r\\n)*HTTP\\/1\\.\\d ([2-9]\\d\\d)[^]*?\\r\\n\\r\\n/.exec(head)
    if (answer === null) {
      if (head.length > 65536) end(new Error('the proxy does not answer in HTTP'))
      return
    }
    socket.off('data', read)
    if (!answer[1].startsWith('2')) {
      end(new Error('the proxy answers ' + answer[1]))
      return
    }
    const name = service.hostname
    // An address is verified by the host, a name by the server name.
    const encrypted = tls.connect({ socket, host: name, servername: isIP(name) ? '' : name })
    encrypted.once('error', end)
    encrypted.once('secureConnect', () => end(null, encrypted))
  }
  socket.on('data', read)
}

const absolute = proxy !== undefined && !secure
const server = absolute ? proxy : service
const client = server.protocol === 'https:' ? https : http
const agent = new client.Agent({ keepAlive: true, maxSockets: concurrency })
if (proxy !== undefined && secure) agent.createConnection = connectThroughProxy

function next() {
  while (!paused && waiting.length > 0 && running < (failures > 0 ? 1 : concurrency)) {
    running++
    send(waiting.shift())
  }
}

function send(item) {
  let done = false
  const finish = (status) => {
    if (done) return
    done = true
    clearTimeout(timer)
    running--
    if (status === 0 || status >= 500 || status === 408 || status === 425 || status === 429) again(item)
    else settle(item, status)
  }
  const request = client.request(
    {
      agent,
      host: server.hostname,
      port: server.port,
      method: 'POST',
      path: absolute ? service.origin + item.path : item.path,
      headers: {
        host: service.host,
        ...(absolute ? proxy.headers : undefined),
        ...item.headers,
        'content-length': item.body.byteLength,
      },
    },
    (response) => {
      response.on('error', () => {})
      response.resume()
      // The connection goes back to the agent when the body has been read; the status is enough for us.
      finish(response.statusCode)
    },
  )
  const timer = setTimeout(() => request.destroy(new Error('no answer')), Math.min(attemptTimeoutMs, leftMs()))
  request.on('error', () => finish(0))
  request.end(item.body)
}

function again(item) {
  waiting.unshift(item)
  failures++
  if (paused) return
  paused = true
  setTimeout(
    () => {
      paused = false
      next()
    },
    Math.random() * Math.min(500, 25 * 2 ** failures),
  )
}

function settle(item, status) {
  failures = 0
  Atomics.store(statuses, item.index, status)
  Atomics.add(control, 0, 1)
  Atomics.notify(control, 0)
  next()
}

parentPort.on('message', (item) => {
  waiting.push(item)
  next()
})
// Whoever waited has gone on: a thread that was started in the middle of a program must end, too.
setTimeout(() => process.exit(), Math.max(0, leftMs()) + 100)
`
