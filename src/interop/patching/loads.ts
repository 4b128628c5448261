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
