import { builtin } from '../../model/runtime/builtins.ts'
import { dispatch } from '../../tracing/dispatch.ts'
import { wrapMethod } from './wrap-method.ts'

interface Loader {
  _load: (this: unknown, request: string, parent?: Parent, ...rest: unknown[]) => unknown
}
/** The module that asks. */
interface Parent {
  readonly filename?: string | null
}

/**
 * Hands over a CommonJS module each time that it is loaded, also when it is imported.
 *
 * @param pattern - Of what it is asked for by: a name, or the path of a file.
 * @param use - Is told the path of the file that asks, if one does. It may return what is to be had instead of the module's
 * exports.
 * @returns Ends it.
 */
export function onLoad(pattern: RegExp, use: (exports: unknown, askedBy: string) => unknown): () => void {
  const loader = builtin('node:module').Module as unknown as Loader
  const meet = (exports: unknown, parent: Parent | undefined): unknown => {
    try {
      return use(exports, parent?.filename ?? '') ?? exports
    } catch {
      dispatch.cpu.countInvalid()
      return exports
    }
  }
  return wrapMethod(
    loader,
    '_load',
    (original, isOn) =>
      function _load(this: unknown, request: string, parent?: Parent, ...rest: unknown[]): unknown {
        const exports = original.call(this, request, parent, ...rest)
        const isMeant = isOn() && typeof request === 'string' && pattern.test(request)
        return isMeant ? meet(exports, parent) : exports
      },
  )
}

/** A method, by the object that has it. */
export interface Found<Method> {
  readonly holder: Record<PropertyKey, Method>
  readonly name: PropertyKey
}

/**
 * Puts another function in the place of a method, in each copy of a CommonJS module that is loaded: see {@link onLoad} and
 * `wrapMethod`.
 *
 * @param find - Finds it in the module's exports; `undefined` where they are not those that are meant.
 * @returns Ends it.
 */
export function wrapLoaded<Method extends (this: never, ...args: never[]) => unknown>(
  pattern: RegExp,
  find: (exports: unknown, askedBy: string) => Found<Method> | undefined,
  make: (original: Method, isOn: () => boolean) => Method,
): () => void {
  const seen = new WeakSet<object>()
  const ends: (() => void)[] = []
  ends.push(
    onLoad(pattern, (exports, askedBy) => {
      const found = find(exports, askedBy)
      if (found === undefined || seen.has(found.holder)) return
      seen.add(found.holder)
      ends.push(wrapMethod(found.holder, found.name, make))
    }),
  )
  return () => {
    for (const end of ends) end()
  }
}
