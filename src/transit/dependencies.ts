import type { DependencyId } from './byte-reader.ts'
import { formatError } from './format-error.ts'
import type { TransitValue } from './value.ts'

/** The dependencies of one block by id: strings, records and property sets share one id space. */
export class Dependencies {
  readonly #values = new Map<DependencyId, TransitValue>()

  get size(): number {
    return this.#values.size
  }

  /**
   * @throws TelemetryError `ERR_TELEMETRY_FORMAT` when the id is taken, even by an equal value.
   */
  add(id: DependencyId, value: TransitValue): void {
    if (this.#values.has(id)) throw formatError('dependency', `id ${id} is used twice`)
    this.#values.set(id, value)
  }

  /**
   * The value of an id.
   *
   * @throws TelemetryError `ERR_TELEMETRY_FORMAT` when no earlier dependency of the block has it.
   */
  resolve(id: DependencyId, what: string): TransitValue {
    const value = this.#values.get(id)
    if (value === undefined) throw formatError(what, `dependency ${id} is not in the block`)
    return value
  }
}
