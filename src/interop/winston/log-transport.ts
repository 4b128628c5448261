import TransportStream from 'winston-transport'
import { recordLog } from '../../tracing/logs/record-log.ts'
import { resolveRecordedAs } from '../level-names.ts'
import { InfoRecorder, RECORDS } from './info-recorder.ts'
import type { MicromegasWinstonTransportOptions, WinstonTransportBase } from './transport-types.ts'

// Typed here, so that declarations need neither the package nor a compiler option for how it exports its class.
const Transport = TransportStream as unknown as new (
  options: MicromegasWinstonTransportOptions,
) => WinstonTransportBase

/** Taken when the module is loaded: the host may fake its timers. */
const nextTurn = setImmediate

/** Infos that are kept for listeners of `logged` that are not there yet. */
const MAX_UNHEARD = 64

/** Given a public type in `micromegas/interop/winston`, whose declaration is not to name what it extends. */
export class MicromegasWinstonTransport extends Transport {
  readonly [RECORDS] = true
  readonly #infos: InfoRecorder
  /** Infos since the last turn of the event loop. */
  #logged: unknown[] = []

  constructor(options: MicromegasWinstonTransportOptions = {}) {
    super(options)
    this.setMaxListeners(30) // as many as winston's own transports allow: each logger that shares it adds some
    const recordedAs = resolveRecordedAs(options.levels, 'a winston transport')
    this.#infos = new InfoRecorder({ target: options.target ?? 'winston', recordedAs, record: recordLog })
  }

  log(info: unknown, next?: () => void): boolean {
    this.#infos.record(info)
    this.#announce(info)
    next?.()
    return true
  }

  #announce(info: unknown): void {
    if (this.#logged.length >= MAX_UNHEARD && this.listenerCount('logged') === 0) return
    if (this.#logged.push(info) > 1) return
    nextTurn(() => {
      const logged = this.#logged
      this.#logged = []
      for (const one of logged) this.emit('logged', one)
    })
  }
}
