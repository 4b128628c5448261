import type { AsyncLocalStorage } from 'node:async_hooks'
import { builtin } from './builtins.ts'

/** What the copies of this package in a thread (ESM, CommonJS, entry points) share of what they do by themselves. */
interface OwnWork {
  /** True in what runs on the package's own behalf, across asynchronous calls. */
  readonly running: AsyncLocalStorage<true>
  /** HTTP requests begun there, whatever client makes them. */
  readonly requests: WeakSet<object>
}

const REGISTRY_KEY = Symbol.for('micromegas.own-work')
const ownWork = find()

function find(): OwnWork {
  const registry = globalThis as { [REGISTRY_KEY]?: OwnWork }
  registry[REGISTRY_KEY] ??= {
    running: new (builtin('node:async_hooks').AsyncLocalStorage)(),
    requests: new WeakSet(),
  }
  return registry[REGISTRY_KEY]
}

/** Whether the running code works for the package itself (an upload, a token request), as {@link runOwnWork} marked it. */
export function isOwnWork(): boolean {
  return ownWork.running.getStore() === true
}

/** Runs `fn` and marks it, and what it starts, as work of the package itself: it must leave no telemetry behind. */
export function runOwnWork<T>(fn: () => T): T {
  return ownWork.running.run(true, fn)
}

/**
 * Whether a request is the package's own.
 *
 * @param isNew - Whether it begins now: it is then kept as the package's own if the running code is.
 */
export function isOwnRequest(request: object, isNew: boolean): boolean {
  if (ownWork.requests.has(request)) return true
  if (!isNew || !isOwnWork()) return false
  ownWork.requests.add(request)
  return true
}

/** Says that a request is the package's own: one may fail before anything tells of its beginning. */
export function claimRequest(request: object): void {
  ownWork.requests.add(request)
}
