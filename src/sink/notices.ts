import type { Clock } from '../model/runtime/clock.ts'

/** What the operator has been told of the uploads. */
type Trouble = 'unreachable' | 'unauthorized'

/** Failures in a row before an outage is spoken of: a restart of the server is none. */
const FAILURES_BEFORE_NOTICE = 3
/** A service that comes and goes is not reported each time. */
const MIN_INTERVAL_MS = 60_000
const MAX_MESSAGE_CHARS = 500

/**
 * What a sink says about itself to whoever runs the process: one line when a state begins and when it ends, at most one a
 * minute of each kind. Never a secret: what comes from elsewhere is cleaned and cut.
 */
export class Notices {
  readonly #label: string
  readonly #authenticates: boolean
  readonly #warn: (message: string) => void
  readonly #clock: Clock
  readonly #saidAtMs: Map<string, number> = new Map()
  /** The trouble that was spoken of and is not over. */
  #announced: Trouble | undefined

  /**
   * @param label - Names the service in messages.
   * @param authenticates - Whether requests carry credentials.
   */
  constructor(label: string, authenticates: boolean, warn: (message: string) => void, clock: Clock) {
    this.#label = label
    this.#authenticates = authenticates
    this.#warn = warn
    this.#clock = clock
  }

  /** An attempt failed in a way that is tried again. */
  failing(detail: string, failuresInRow: number): void {
    if (failuresInRow < FAILURES_BEFORE_NOTICE) return
    this.#announce('unreachable', `cannot upload to ${this.#label}: ${detail}; telemetry is kept and retried`)
  }

  /** The server refused fresh credentials, or asks for some. */
  unauthorized(): void {
    const why = this.#authenticates
      ? 'refuses our credentials (401)'
      : 'asks for credentials (401) and there are none: neither an API key nor an OIDC client is configured'
    this.#announce(
      'unauthorized',
      `${this.#label} ${why}; uploads pause, telemetry is kept and tried again now and then`,
    )
  }

  /** The server refused a request for good. */
  refused(reason: string, what: string, detail: string): void {
    this.say(reason, `cannot deliver ${what} to ${this.#label}: ${detail}`)
  }

  /** Uploads work. */
  working(droppedEvents: number): void {
    if (this.#announced === undefined) return
    this.#announced = undefined
    const lost = droppedEvents === 0 ? '' : `; ${droppedEvents} events have been dropped so far`
    this.#tell(`uploads to ${this.#label} work again${lost}`)
  }

  /** Anything else, at most once a minute for each key; returns whether it was said. */
  say(key: string, message: string): boolean {
    const nowMs = this.#clock.now()
    const saidAtMs = this.#saidAtMs.get(key)
    if (saidAtMs !== undefined && nowMs - saidAtMs < MIN_INTERVAL_MS) return false
    this.#saidAtMs.set(key, nowMs)
    this.#tell(message)
    return true
  }

  #announce(trouble: Trouble, message: string): void {
    if (this.#announced !== trouble && this.say(trouble, message)) this.#announced = trouble
  }

  #tell(message: string): void {
    try {
      this.#warn(`micromegas: ${clean(message)}`)
    } catch {
      // A host whose console throws has no other way to be told.
    }
  }
}

/** One line without credentials: those of a URL, its query, and a token. */
function clean(text: string): string {
  return text
    .slice(0, 4 * MAX_MESSAGE_CHARS)
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/\/\/[^/\s@]*@/g, '//')
    .replace(/(https?:[^\s?]*)\?\S+/g, '$1?…')
    .replace(/\b(bearer|basic) +\S+/gi, '$1 …')
    .slice(0, MAX_MESSAGE_CHARS)
}
