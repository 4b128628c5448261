import { TelemetryError } from '../../model/errors.ts'

/** What a table of `apache-arrow` has, of any version; give its own `Table` as a type argument for the rest. */
export interface ArrowTable extends Iterable<unknown> {
  readonly numRows: number
  readonly numCols: number
  get(index: number): unknown
  getChild(name: string): unknown
  toArray(): unknown[]
}

/** @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when `apache-arrow` is not installed. */
export async function loadArrow(): Promise<{ tableFromIPC(source: AsyncIterable<Uint8Array>): unknown }> {
  try {
    return await import('apache-arrow')
  } catch (cause) {
    throw new TelemetryError(
      'ERR_TELEMETRY_CONFIG',
      'Cannot load apache-arrow, which queryArrow() needs: npm install apache-arrow',
      { cause },
    )
  }
}
