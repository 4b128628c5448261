import { tell } from '../config/diagnostics.ts'
import { withoutTracing } from '../http/clients/suppress-tracing.ts'
import { type RuntimeMetrics, startRuntimeMetrics } from '../interop/runtime-metrics.ts'
import { platformClock } from '../model/runtime/clock.ts'
import { errorMessage } from '../model/text/error-message.ts'

/**
 * Runtime metrics from the next turn of the event loop on: what they load would keep the service's own code waiting. A process
 * that ends before that has its sample all the same. The files that samples read are not traced.
 */
export class LaterMetrics implements RuntimeMetrics {
  #metrics: RuntimeMetrics | undefined
  #stopped = false

  constructor() {
    platformClock.soon(() => withoutTracing(() => this.#started()))
  }

  sample(): void {
    withoutTracing(() => this.#started()?.sample())
  }

  stop(options?: { readonly sample?: boolean | undefined }): void {
    this.#stopped = true
    withoutTracing(() => this.#metrics?.stop(options))
  }

  /** Where the runtime lacks something that they need, the service goes on without them. */
  #started(): RuntimeMetrics | undefined {
    if (this.#stopped) return this.#metrics
    try {
      this.#metrics ??= startRuntimeMetrics()
    } catch (error) {
      this.#stopped = true
      tell(`micromegas: metrics of the runtime are not recorded: ${errorMessage(error)}`)
    }
    return this.#metrics
  }
}
