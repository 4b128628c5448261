import { tell } from '../../config/diagnostics.ts'
import type { Dispatch } from '../../tracing/dispatch.ts'

/**
 * Tells of events that are recorded when telemetry has been shut down, and are lost: how many, when the process ends or
 * telemetry is started again. Nothing is left in the process unless there are any.
 */
export class LateEvents {
  readonly #dispatch: Dispatch
  #listening = false

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch
  }

  /** The first such event has come. */
  readonly onFirst = (): void => {
    // A listener that is added while `exit` is emitted is not called any more.
    if ((process as { readonly _exiting?: boolean })._exiting) {
      tell('micromegas: an event was recorded after telemetry was shut down, and is lost')
      return
    }
    this.#listening = true
    process.on('exit', this.#tell)
  }

  /** Telemetry starts again. */
  close(): void {
    if (this.#listening) this.#tell()
  }

  readonly #tell = (): void => {
    this.#listening = false
    process.off('exit', this.#tell)
    const { lateEvents } = this.#dispatch
    const were = lateEvents === 1 ? '1 event was' : `${lateEvents} events were`
    if (lateEvents > 0) tell(`micromegas: ${were} recorded after telemetry was shut down, and lost`)
  }
}
