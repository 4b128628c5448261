/**
 * The program of the thread that sends what is left when a process ends; see `exit-delivery.ts`. The build puts it, with
 * all that it imports, as a text into `exit-worker-source.ts`, so that it works from any bundle.
 *
 * It gets requests as messages and writes what became of each into shared memory, since the thread that waits runs no
 * code: the answer's status, and the count of the finished ones. While the service fails there is one request at a time,
 * after a short wait; a 401 is final, for there is nobody left to authenticate again.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { NodeUploadClient } from '../../http/clients/node-upload-client.ts'
import { withTimeout } from '../../http/with-timeout.ts'
import { platformClock as clock } from '../../model/runtime/clock.ts'
import { classifyResponse } from '../upload/outcome.ts'
import { fullJitterMs } from '../upload/shared-backoff.ts'
import { EXIT_BACKOFF, type ExitJob, type ExitRequest } from './exit-job.ts'

const { service, proxy, concurrency, attemptTimeoutMs, deadlineTicks, control, statuses } =
  workerData as ExitJob

const transport = new NodeUploadClient({
  service: new URL(service),
  proxy: proxy === undefined ? undefined : { url: new URL(proxy), label: '' },
  clock,
})
const waiting: ExitRequest[] = []
let running = 0
let failures = 0
let paused = false

function leftMs(): number {
  return Number(deadlineTicks - process.hrtime.bigint()) / 1e6
}

function next(): void {
  while (!paused && running < (failures > 0 ? 1 : concurrency)) {
    const request = waiting.shift()
    if (request === undefined) return
    running++
    void send(request)
  }
}

async function send(request: ExitRequest): Promise<void> {
  const status = await statusOf(request)
  running--
  if (status === undefined) again(request)
  else settle(request, status)
}

/** The status of an answer that is the last word; undefined when another attempt is worth while. */
async function statusOf({ path, headers, body }: ExitRequest): Promise<number | undefined> {
  try {
    const response = await withTimeout(
      clock,
      Math.min(attemptTimeoutMs, leftMs()),
      'no answer',
      new AbortController(),
      (signal) => transport.post({ method: 'POST', path, headers, body }, signal),
    )
    return classifyResponse(response, clock.wallMs()).kind === 'retry' ? undefined : response.status
  } catch {
    return undefined
  }
}

function again(request: ExitRequest): void {
  waiting.unshift(request)
  const delayMs = fullJitterMs(EXIT_BACKOFF, failures++, clock.random)
  if (paused) return
  paused = true
  clock.after(
    delayMs,
    () => {
      paused = false
      next()
    },
    { holds: true },
  )
}

function settle({ index }: ExitRequest, status: number): void {
  failures = 0
  Atomics.store(statuses, index, status)
  Atomics.add(control, 0, 1)
  Atomics.notify(control, 0)
  next()
}

parentPort?.on('message', (request: ExitRequest) => {
  waiting.push(request)
  next()
})
// Whoever waited has gone on: a thread that was started in the middle of a program must end, too.
clock.after(Math.max(0, leftMs()) + 100, () => process.exit(), { holds: true })
