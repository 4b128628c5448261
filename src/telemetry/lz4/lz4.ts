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
 * For mimalloc, the allocator that the library brings. Compressed blocks are made in the threads of the pool and let go in this
 * one, and a thread looks for what came back at one in so many allocations: at one in 10,000, as it does unasked, memory grows by 2
 * to 5 MiB a minute at 100,000 events a second; so it stays where it is, for no measurable time. (`MIMALLOC_PURGE_DELAY=0` keeps
 * 20 MiB less, and takes half as much processor time again.)
 */
const ALLOCATOR = { MIMALLOC_GENERIC_COLLECT: '16' }

/**
 * Loads the native LZ4 library from where it is installed.
 *
 * @returns The error where it cannot be loaded: it is not installed, as beside a bundle, not built for this platform, or
 * Node's permission model keeps native libraries out.
 */
export async function loadCompressFrame(): Promise<CompressFrame | Error> {
  try {
    const { compressFrame } = await loadInstalled<Lz4>('lz4-napi', ALLOCATOR)
    return (content) => compressFrame(content, { contentChecksum: true })
  } catch (error) {
    return isError(error) ? error : new Error(String(error))
  }
}
