import { harmless } from '../patching/harmless.ts'
import { onLoad } from '../patching/loads.ts'
import { addToModules } from '../patching/module-sources.ts'
import { answeredNow, HONO_CONTEXT, type HonoContext, type HonoMatches } from './route.ts'

const MODULE = /\/hono\/dist\/context\.js$/
const COMMONJS = /^\.\/context(?:\.js)?$/
/** Where the module finds what makes its class another one. */
const FOLLOW: unique symbol = Symbol.for('micromegas.http.hono.follow')

interface ContextOptions {
  readonly matchResult?: HonoMatches
}
type ContextClass = new (request: unknown, options?: ContextOptions) => HonoContext

/**
 * Has Hono's context of each request noted on the request that Node's server answers, for Hono leaves no way from one to the
 * other. It is an ES module, whose class cannot be changed from elsewhere: a statement is added to it.
 */
export function noteHonoContexts(): void {
  Object.defineProperty(globalThis, FOLLOW, { value: noteContexts, configurable: true })
  addToModules({
    pattern: MODULE,
    statements: "try { Context = globalThis[Symbol.for('micromegas.http.hono.follow')](Context) } catch {}",
  })
  const seen = new WeakMap<object, object>()
  onLoad(COMMONJS, (exports) => {
    const { Context } = exports as { readonly Context?: unknown }
    if (!isContextClass(Context)) return undefined
    const noted =
      seen.get(Context) ?? Object.create(exports as object, { Context: { value: noteContexts(Context) } })
    seen.set(Context, noted)
    return noted
  })
}

const note = harmless((context: HonoContext, matches: HonoMatches) => {
  const request = answeredNow()
  if (request !== undefined) Object.assign(request, { [HONO_CONTEXT]: { context, matches } })
})

function noteContexts(Context: ContextClass): ContextClass {
  return class extends Context {
    constructor(request: unknown, options?: ContextOptions) {
      super(request, options)
      if (options?.matchResult !== undefined) note(this, options.matchResult)
    }
  }
}

/** Others have a file of that name as well. */
function isContextClass(found: unknown): found is ContextClass {
  if (typeof found !== 'function') return false
  const members = Object.getOwnPropertyNames(found.prototype ?? {})
  return members.includes('req') && members.includes('res') && members.includes('event')
}
