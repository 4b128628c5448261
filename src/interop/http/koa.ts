import { builtin } from '../../model/builtins.ts'
import { harmless } from './requests.ts'
import { KOA_CONTEXT } from './route.ts'

interface Loader {
  _load(this: unknown, request: string, ...rest: unknown[]): unknown
}
interface Koa {
  readonly prototype: { createContext?: (...args: unknown[]) => unknown }
}

const APPLICATION = /(?:^koa|[\\/]koa[\\/]lib[\\/]application(?:\.js)?)$/

/**
 * Has Koa's context of each request noted on Node's request, for Koa itself leaves no way from one to the other. Koa is
 * CommonJS: it is met where that is loaded, also when it is imported.
 *
 * @returns Ends it; applications that have been met stay as they are.
 */
export function noteKoaContexts(): () => void {
  const loader = builtin('node:module').Module as unknown as Loader
  const original = loader._load
  const seen = new WeakSet<object>()
  const meet = harmless((exports: unknown) => noteContexts(exports as Koa, seen))
  function _load(this: unknown, request: string, ...rest: unknown[]): unknown {
    const exports = original.call(this, request, ...rest)
    if (typeof request === 'string' && APPLICATION.test(request)) meet(exports)
    return exports
  }
  loader._load = _load
  return () => {
    if (loader._load === _load) loader._load = original
  }
}

function noteContexts(koa: Koa, seen: WeakSet<object>): void {
  const { prototype } = koa
  const createContext = prototype?.createContext
  if (typeof createContext !== 'function' || seen.has(prototype)) return
  seen.add(prototype)
  prototype.createContext = function (this: unknown, ...args: unknown[]): unknown {
    const context = createContext.apply(this, args)
    Object.defineProperty(args[0], KOA_CONTEXT, { value: context, configurable: true })
    return context
  }
}
