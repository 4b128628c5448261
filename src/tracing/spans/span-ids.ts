/** Ids of the main thread: from 1, 142 years of them at a million a second. */
const MAIN_THREAD_IDS = 2 ** 52
/** Ids of a worker thread. */
const WORKER_IDS = 2 ** 32
/** Workers until ids come again: as many as fit below 2^53. */
const MAX_WORKERS = 2 ** 20

/**
 * The number after which a thread counts its async spans, so that ids are unique in the process and exact as numbers.
 *
 * @param threadId - Node's: 0 for the main thread; it counts every worker that was ever started.
 */
export function spanIdBase(threadId: number): number {
  if (threadId === 0) return 0
  return MAIN_THREAD_IDS + ((threadId - 1) % MAX_WORKERS) * WORKER_IDS
}
