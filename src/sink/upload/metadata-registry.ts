import type { StreamInfo } from '../../model/event-sink.ts'
import type { ProcessInfo } from '../../model/process-info.ts'
import type { DescriptionBody, ItemContent } from './upload-item.ts'

interface Sent {
  /** When it was queued or, later, delivered: milliseconds of the monotonic clock. */
  atMs: number
  /** Recoveries of the service seen by then. */
  recoveries: number
  underWay: boolean
}

/** Streams remembered as sent. A program that starts thread after thread has no bound; a forgotten one is sent again. */
const MAX_REMEMBERED = 1_000
/** A service that fails and recovers every second is not sent the same descriptions every second. */
const MIN_AGE_MS = 10_000

/**
 * Knows which processes and streams the server has been told of.
 *
 * A block whose process or stream the server does not know is stored and never shown, and no answer ever says so: there
 * are no foreign keys, and a server whose database was wiped answers 200 like any other. So descriptions are sent again,
 * with the next block of their stream: when the service has been away and came back, which a wiped one mostly has, and
 * every few minutes in any case. That is two small requests per stream, which the server ignores if it knows them; and it
 * is far below the two days within which the server still joins a late description to its blocks.
 */
export class MetadataRegistry {
  readonly #refreshMs: number
  readonly #processes: Map<string, ProcessInfo> = new Map()
  readonly #sent: Map<string, Sent> = new Map()

  constructor(refreshMs: number) {
    this.#refreshMs = refreshMs
  }

  startup(process: ProcessInfo): void {
    this.#processes.set(process.processId, process)
  }

  process(processId: string): ProcessInfo | undefined {
    return this.#processes.get(processId)
  }

  /**
   * What is to be sent before a block of this stream; it counts as under way from now on.
   *
   * @param recoveries - How often the service came back after it had been away.
   */
  takeDue(stream: StreamInfo, nowMs: number, recoveries: number): readonly ItemContent[] {
    const due: ItemContent[] = []
    const process = this.#processes.get(stream.processId)
    if (process !== undefined && this.#isDue(stream.processId, nowMs, recoveries)) {
      due.push({ insert: 'process', process })
    }
    if (this.#isDue(stream.streamId, nowMs, recoveries)) {
      due.push({ insert: 'stream', stream })
    }
    return due
  }

  /** The same for a block of another process, of which nothing is known but what is to be sent. */
  takeDueBodies(
    bodies: readonly DescriptionBody[],
    nowMs: number,
    recoveries: number,
  ): readonly ItemContent[] {
    return bodies.filter(({ id }) => this.#isDue(id, nowMs, recoveries))
  }

  /** Delivered, or refused for good: sending it at once again is no use either way. */
  settled(id: string, nowMs: number, recoveries: number): void {
    const sent = this.#sent.get(id)
    if (sent === undefined) return
    sent.underWay = false
    sent.atMs = nowMs
    sent.recoveries = recoveries
  }

  #isDue(id: string, nowMs: number, recoveries: number): boolean {
    const sent = this.#sent.get(id)
    if (sent !== undefined) {
      const ageMs = nowMs - sent.atMs
      const fresh = ageMs < this.#refreshMs && (sent.recoveries === recoveries || ageMs < MIN_AGE_MS)
      if (sent.underWay || fresh) return false
      this.#sent.delete(id) // to the end of the order of use
    }
    this.#sent.set(id, { atMs: nowMs, recoveries, underWay: true })
    if (this.#sent.size > MAX_REMEMBERED) {
      const [oldest] = this.#sent.keys()
      if (oldest !== undefined) this.#sent.delete(oldest)
    }
    return true
  }
}
