import { memberAsBytes, memberAsI64, memberAsString } from '../../transit/coercions.ts'
import type { TransitObject } from '../../transit/value.ts'
import type { EventOptions } from '../event-options.ts'
import type { TickConverter } from './tick-converter.ts'

/** One row of the `images` view. */
export interface DecodedImage {
  /** Nanoseconds since the Unix epoch. */
  readonly timeNs: bigint
  readonly name: string
  /** Free text, such as `png`. */
  readonly format: string
  /** Shares memory with the block. */
  readonly data: Uint8Array
}

/**
 * Reads the image events of a block.
 *
 * @throws TelemetryError `ERR_TELEMETRY_FORMAT` from the iteration when an event cannot be converted.
 */
export function* readImages(
  objects: Iterable<TransitObject>,
  ticks: TickConverter,
  options: EventOptions = {},
): Generator<DecodedImage, void, undefined> {
  let index = 0
  for (const event of objects) {
    if (event.typeName === 'ImageEvent') {
      yield {
        timeNs: ticks.toNanoseconds(memberAsI64(event, 'time')),
        name: memberAsString(event, 'name'),
        format: memberAsString(event, 'format'),
        data: memberAsBytes(event, 'data'),
      }
    } else {
      options.onUnknown?.(event.typeName, index)
    }
    index++
  }
}
