import { harmless } from '../patching/harmless.ts'
import { onLoad } from '../patching/loads.ts'
import { EXPRESS_MOUNTS, mountPattern } from './route.ts'

/** What its main file loads: also under another name, as npm's aliases are. */
const EXPRESS = /^\.\/lib\/express$/

type Method = (this: Router, ...args: unknown[]) => unknown
interface Router {
  use: Method
  handle: Method
  readonly stack?: readonly Layer[]
}
type Handle = (this: Layer, request: MountedRequest, ...rest: unknown[]) => unknown
/** What is mounted: its method is `handle_request` in Express 4 and `handleRequest` in 5. */
interface Layer {
  handle_request?: Handle
  handleRequest?: Handle
}
interface MountedRequest {
  readonly baseUrl?: unknown
  [EXPRESS_MOUNTS]?: Map<string, string>
}

/**
 * Has the patterns noted that routers of Express are mounted at, such as `/teams/:team`: a request shows only what they took off
 * its path. Express is CommonJS: it is met where that is loaded.
 *
 * @returns Ends it; routers that have been mounted stay as they are.
 */
export function noteExpressMounts(): () => void {
  const seen = new WeakSet<object>()
  return onLoad(EXPRESS, (exports) => {
    const { Router } = exports as { readonly Router?: Router & { readonly prototype?: Partial<Router> } }
    if (Router === undefined) return
    const prototype = typeof Router.prototype?.use === 'function' ? (Router.prototype as Router) : Router
    if (typeof prototype.use !== 'function' || typeof prototype.handle !== 'function') return
    if (seen.has(prototype)) return
    seen.add(prototype)
    noteMounts(prototype)
  })
}

function noteMounts(prototype: Router): void {
  const { use, handle } = prototype
  /** What had been taken off the path of a request when it came to a router. */
  const taken = new WeakMap<Router, WeakMap<MountedRequest, string>>()
  const follow = harmless((router: Router, layers: readonly Layer[], path: unknown) => {
    if (!isPattern(path)) return
    const requests = taken.get(router) ?? new WeakMap<MountedRequest, string>()
    taken.set(router, requests)
    for (const layer of layers) noteRequests(layer, shownPattern(path), requests)
  })
  prototype.use = function (this: Router, ...args: unknown[]): unknown {
    const before = this.stack?.length ?? 0
    const result = use.apply(this, args)
    follow(this, this.stack?.slice(before) ?? [], args[0])
    return result
  }
  const enter = harmless((router: Router, request: MountedRequest) => {
    taken.get(router)?.set(request, baseOf(request))
  })
  prototype.handle = function (this: Router, ...args: unknown[]): unknown {
    enter(this, args[0] as MountedRequest)
    return handle.apply(this, args)
  }
}

function noteRequests(layer: Layer, pattern: string, taken: WeakMap<MountedRequest, string>): void {
  const name = typeof layer.handleRequest === 'function' ? 'handleRequest' : 'handle_request'
  const handle = layer[name]
  if (handle === undefined) return
  const note = harmless((request: MountedRequest) => {
    const mounts = request[EXPRESS_MOUNTS] ?? new Map<string, string>()
    mounts.set(baseOf(request), mountPattern(request, taken.get(request) ?? '') + pattern)
    request[EXPRESS_MOUNTS] = mounts
  })
  layer[name] = function (this: Layer, request: MountedRequest, ...rest: unknown[]): unknown {
    note(request)
    return handle.call(this, request, ...rest)
  }
}

function baseOf({ baseUrl }: MountedRequest): string {
  return typeof baseUrl === 'string' ? baseUrl : ''
}

/** Whether what it takes off a path may differ from it. */
function isPattern(path: unknown): boolean {
  if (Array.isArray(path)) return path.some((one) => typeof one !== 'function')
  return path instanceof RegExp || (typeof path === 'string' && /[:*?+(){}]/.test(path))
}

/** Without the slash at its end, which Express does not take off either. */
function shownPattern(path: unknown): string {
  const list = Array.isArray(path) ? path : [path]
  return list.map((one) => String(one).replace(/(?<=.)\/$/, '')).join('|')
}
