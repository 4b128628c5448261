import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'

/** An address of this machine where connections are neither made nor refused. */
export interface BlackHole extends AsyncDisposable {
  readonly url: string
}

/** Listens, says where, and never turns its event loop again: nobody accepts what the kernel queues. */
const LISTENER = `
  const { parentPort } = require('node:worker_threads')
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address())
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
  })`
/** More than a queue of one holds. */
const FILLERS = 8

export async function startBlackHole(): Promise<BlackHole> {
  const worker = new Worker(LISTENER, { eval: true })
  const [{ port }] = (await once(worker, 'message')) as [AddressInfo]
  const fillers = Array.from({ length: FILLERS }, () => connect(port, '127.0.0.1').on('error', () => {}))
  await Promise.race(fillers.map((socket) => once(socket, 'connect')))
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of fillers) (socket as Socket).destroy()
      await worker.terminate()
    },
  }
}
