import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from 'hono'
import type { Json } from '../api/json-rows.ts'
import { BadQuery, type QueryParameters } from '../api/query-parameters.ts'
import { formatNanoseconds } from '../nanoseconds.ts'
import type { RouteTypes } from '../server-context.ts'
import type { Arrival, Arrivals } from './arrivals.ts'

export interface LiveOptions {
  readonly arrivals: Arrivals
  /** Ends all streams. */
  readonly signal: AbortSignal
}

/** What a stream tells of: all, those of one process, those with events of one kind. */
interface Filter {
  readonly processId: string | undefined
  readonly tag: string | undefined
}

const TAGS = ['log', 'metrics', 'cpu', 'image'] as const
const MAX_CLIENTS = 16
const MAX_AT_ONCE = 500
/** Between one event of a stream and the next, so that a busy server sends ten a second and not thousands. */
const GAP_MS = 100
/** A stream with nothing to tell says that it is there: proxies end what is silent for a minute or less. */
const HEARTBEAT_MS = 15_000

/**
 * `GET /api/live`: what is stored from now on, as server-sent events. A client that was cut off names the last event it had
 * (`Last-Event-ID`) and gets what it missed, as far as it is still held; what is not is counted in `dropped`.
 */
export class LiveRoute {
  readonly #options: LiveOptions
  /** Places of another start of the server mean nothing here. */
  readonly #boot = randomUUID().slice(0, 8)
  #clients = 0

  constructor(options: LiveOptions) {
    this.#options = options
  }

  answer(c: Context<RouteTypes>, query: QueryParameters): Response {
    const filter = { processId: query.uuid('process_id'), tag: query.oneOf('tag', TAGS) }
    query.check()
    const place = this.#placeOf(c.req.header('last-event-id'))
    if (this.#clients >= MAX_CLIENTS)
      return c.json({ error: `${MAX_CLIENTS} streams are open already: close one of them` }, 503)
    this.#clients += 1
    const until = AbortSignal.any([c.get('signal'), this.#options.signal])
    until.addEventListener('abort', () => {
      this.#clients -= 1
    })
    const texts = this.#texts(place, filter, until)
    const encoder = new TextEncoder()
    const body = new ReadableStream<Uint8Array>(
      {
        // Called when the client has taken what it was given before.
        async pull(controller) {
          const { value, done } = await texts.next()
          if (done === true) controller.close()
          else controller.enqueue(encoder.encode(value))
        },
      },
      { highWaterMark: 0 },
    )
    // The second is for nginx, which otherwise collects answers before it hands them on.
    return c.body(body, 200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
  }

  async *#texts(start: number | undefined, filter: Filter, until: AbortSignal): AsyncGenerator<string, void> {
    const { arrivals } = this.#options
    let place = start ?? arrivals.end
    // Where to go on from, before there is anything to tell.
    yield `id: ${this.#boot}-${place}\nretry: 2000\n\n`
    while (!until.aborted) {
      await arrivals.wait(place, HEARTBEAT_MS, until)
      if (until.aborted) return
      if (place === arrivals.end) {
        yield ': nothing new\n\n'
        continue
      }
      const { arrivals: found, next, dropped } = arrivals.since(place, MAX_AT_ONCE)
      place = next
      const wanted = found.filter((arrival) => isWanted(arrival, filter))
      if (wanted.length > 0 || dropped > 0) {
        const data = JSON.stringify({ arrivals: wanted.map(arrivalJson), dropped })
        yield `id: ${this.#boot}-${place}\nevent: stored\ndata: ${data}\n\n`
      }
      await sleep(GAP_MS, undefined, { signal: until }).catch(() => undefined)
    }
  }

  /** @throws BadQuery for what no event had as its id. */
  #placeOf(lastEventId: string | undefined): number | undefined {
    if (lastEventId === undefined || lastEventId === '') return undefined
    const [, boot, place] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(lastEventId) ?? []
    if (place === undefined) throw new BadQuery('last-event-id: expected the id of an event of this stream')
    if (boot === this.#boot) return Math.min(Number(place), this.#options.arrivals.end)
    // All that came since the server started may be new to a client from before.
    return 0
  }
}

function isWanted(arrival: Arrival, filter: Filter): boolean {
  if (filter.processId !== undefined && processIdOf(arrival) !== filter.processId) return false
  if (filter.tag === undefined) return true
  return arrival.block !== undefined && arrival.stream.tags.includes(filter.tag)
}

function processIdOf(arrival: Arrival): string {
  return arrival.block === undefined ? arrival.process.processId : arrival.stream.processId
}

function arrivalJson(arrival: Arrival): Json {
  const { block } = arrival
  if (block === undefined) return { process_id: processIdOf(arrival) }
  return {
    process_id: processIdOf(arrival),
    stream_id: block.streamId,
    block_id: block.blockId,
    tags: arrival.stream.tags,
    nb_objects: block.eventCount,
    begin_time: formatNanoseconds(block.beginTimeMicros * 1000n),
    end_time: formatNanoseconds(block.endTimeMicros * 1000n),
  }
}
