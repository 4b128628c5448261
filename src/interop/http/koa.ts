import { onLoad } from '../patching/loads.ts'
import { KOA_CONTEXT } from './route.ts'

interface Koa {
  readonly prototype: { createContext?: (...args: unknown[]) => unknown }
}

const APPLICATION = /(?:^koa|[\\/]koa[\\/]lib[\\/]application(?:\.js)?)$/

/**
 * Has Koa's context of each request noted on Node's request, for Koa itself leaves no way from one to the other. Koa is
 * CommonJS: it is met where that is loaded.
 *
 * @returns Ends it; applications that have been met stay as they are.
 */
export function noteKoaContexts(): () => void {
  const seen = new WeakSet<object>()
  return onLoad(APPLICATION, (exports) => noteContexts(exports as Koa, seen))
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
