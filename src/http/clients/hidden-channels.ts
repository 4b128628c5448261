import type { Channel } from 'node:diagnostics_channel'
import { builtin } from '../../model/runtime/builtins.ts'
import { isOwnRequest, isOwnWork } from '../../model/runtime/own-work.ts'

const { channel } = builtin('node:diagnostics_channel')

/** Tells whether a message is about what this package does. */
type IsOwn = (message: unknown) => boolean

/** Begin a request, which their messages have: of undici (Node's `fetch` too), and of Node's `http` and `https`. */
const BEGINNINGS = ['undici:request:create', 'http.client.request.created', 'http.client.request.start']
/** Tell of a request that has begun. */
const STEPS = [
  'undici:client:sendHeaders',
  'undici:request:bodyChunkSent',
  'undici:request:bodySent',
  'undici:request:headers',
  'undici:request:bodyChunkReceived',
  'undici:request:trailers',
  'undici:request:error',
  'http.client.request.bodyChunkSent',
  'http.client.request.bodySent',
  'http.client.request.error',
  'http.client.response.bodyChunkReceived',
  'http.client.response.finish',
]
/** Tell of a connection; whoever opens it is the running code. */
const CONNECTIONS = [
  'undici:client:beforeConnect',
  'undici:client:connected',
  'undici:client:connectError',
  'undici:proxy:connected',
  'net.client.socket',
]

const hideable: readonly (readonly [Channel, IsOwn])[] = [
  ...BEGINNINGS.map((name) => [channel(name), (message: unknown) => isOwn(message, true)] as const),
  ...STEPS.map((name) => [channel(name), (message: unknown) => isOwn(message, false)] as const),
  ...CONNECTIONS.map((name) => [channel(name), isOwnWork] as const),
]

function isOwn(message: unknown, isNew: boolean): boolean {
  const request = (message as { readonly request?: unknown } | null | undefined)?.request
  return typeof request === 'object' && request !== null && isOwnRequest(request, isNew)
}

/** Marks what {@link hide} put into a channel; copies of this package share it. */
const HIDES = Symbol.for('micromegas.hides-own-requests')

/**
 * Keeps the package's own requests from all who listen to the diagnostics channels of Node's HTTP clients: an
 * instrumentation that measured an upload, or a listener that logged it, would make telemetry that is uploaded, without
 * end. Messages about all other requests pass unchanged. Channels that nobody listens to are left alone.
 *
 * @returns Whether anybody listens.
 */
export function hideOwnRequests(): boolean {
  let isHeard = false
  for (const [each, isOwnMessage] of hideable) {
    if (!each.hasSubscribers) continue
    isHeard = true
    hide(each, isOwnMessage)
  }
  return isHeard
}

function hide(target: Channel, isOwnMessage: IsOwn): void {
  // Most channels have their methods from a prototype, which Node replaces when the first listener comes.
  const replaced = Object.getOwnPropertyDescriptor(target, 'publish')?.value as Channel['publish'] | undefined
  if (replaced !== undefined && HIDES in replaced) return
  function publish(this: Channel, ...args: Parameters<Channel['publish']>): void {
    if (isOwnMessage(args[0])) return
    const original = replaced ?? (Object.getPrototypeOf(this) as Channel).publish
    original.apply(this, args)
  }
  Object.defineProperty(publish, HIDES, { value: true })
  // Not enumerable, as the method it stands before. A channel that refuses it stays as it is.
  Reflect.defineProperty(target, 'publish', { value: publish, configurable: true, writable: true })
}
