import { type Clock, original } from '../../model/runtime/clock.ts'

const faceOfPlatform = (): readonly unknown[] => [
  globalThis.setTimeout,
  globalThis.setInterval,
  globalThis.setImmediate,
  globalThis.queueMicrotask,
  process.nextTick,
]
const loadedWith = faceOfPlatform()

/** Whether a host's tests have replaced timers, or the order of turns, since this was loaded, or before. */
export function platformIsFaked(): boolean {
  return faceOfPlatform().some(
    (now, i) => now !== loadedWith[i] || (typeof now === 'function' && 'clock' in now),
  )
}

const realNextTick = original(process.nextTick, 'nextTick')

/**
 * Whether requests can be made in this thread: not while a host's tests have replaced `process.nextTick`, by which Node's
 * own streams and sockets take their steps. Nothing on them ends then, ours or anyone's.
 */
export async function canUseSockets(clock: Clock): Promise<boolean> {
  if (process.nextTick === realNextTick) return true
  // A test environment may have a `process` of its own, which Node does not use: try.
  const { Readable } = process.getBuiltinModule('node:stream')
  const stream = new Readable({ read() {} })
  let stepped = false
  stream.once('close', () => {
    stepped = true
  })
  stream.destroy()
  await new Promise<void>((resolve) => clock.soon(resolve))
  return stepped
}
