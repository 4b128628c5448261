import { isError } from '../../model/kinds.ts'
import { loadInstalled } from '../../model/runtime/load-installed.ts'

/** Compresses one section of a block into one LZ4 frame. */
export type CompressFrame = (content: Uint8Array) => Promise<Uint8Array>

interface Lz4 {
  readonly compressFrame: (
    content: Uint8Array,
    options: { readonly contentChecksum: boolean },
  ) => Promise<Uint8Array>
}

/**
 * Loads the native LZ4 library from where it is installed.
 *
 * @returns The error where it cannot be loaded: it is not installed, as beside a bundle, not built for this platform, or
 * Node's permission model keeps native libraries out.
 */
export async function loadCompressFrame(): Promise<CompressFrame | Error> {
  try {
    const { compressFrame } = await loadInstalled<Lz4>('lz4-napi')
    return (content) => compressFrame(content, { contentChecksum: true })
  } catch (error) {
    return isError(error) ? error : new Error(String(error))
  }
}
