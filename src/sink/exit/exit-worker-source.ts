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
const { isIP } = require('node:net')
const { parentPort, workerData } = require('node:worker_threads')

const { service, proxy, concurrency, attemptTimeoutMs, deadlineNs, control, statuses } = workerData
const secure = service.protocol === 'https:'
const waiting = []
let running = 0
let failures = 0
let paused = false

const leftMs = () => Number(deadlineNs - process.hrtime.bigint()) / 1e6

/** A tunnel through the proxy. */
function connectThroughProxy(options, callback) {
  const request = (proxy.protocol === 'https:' ? https : http).request({
    host: proxy.hostname,
    port: proxy.port,
    method: 'CONNECT',
    path: service.authority,
    headers: { host: service.authority, ...proxy.headers },
    agent: false,
  })
  request.once('error', callback)
  request.once('connect', (response, socket) => {
    if (response.statusCode !== 200) {
      socket.destroy()
      callback(new Error('the proxy answers ' + response.statusCode))
      return
    }
    if (!secure) {
      callback(null, socket)
      return
    }
    const servername = isIP(service.hostname) ? '' : service.hostname
    const encrypted = tls.connect({ socket, servername })
    encrypted.once('error', callback)
    encrypted.once('secureConnect', () => callback(null, encrypted))
  })
  request.end()
}

const agent = new (secure ? https : http).Agent({ keepAlive: true, maxSockets: concurrency })
if (proxy !== undefined) agent.createConnection = connectThroughProxy

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
  const request = (secure ? https : http).request(
    {
      agent,
      host: service.hostname,
      port: service.port,
      method: 'POST',
      path: item.path,
      headers: { ...item.headers, 'content-length': item.body.byteLength },
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
