import { builtin } from '../model/runtime/builtins.ts'
import { dispatch } from './dispatch.ts'
import { toName } from './metric.ts'

const { isUint8Array } = builtin('node:util/types')

/**
 * Records an image, or any other small file, with the time it was taken. Never throws: data that is no bytes or exceeds
 * 64 MiB is left out and counted.
 *
 * @param name - Up to 255 characters.
 * @param format - Free text that readers interpret, by convention a file extension such as `png`.
 * @param data - The encoded image; copied.
 */
export function recordImage(name: string, format: string, data: Uint8Array): void {
  if (!isUint8Array(data)) return dispatch.image.countInvalid()
  dispatch.image.writeImage(toName(name), toName(format), data)
}
