import { builtin } from '../../model/runtime/builtins.ts'
import { dispatch } from '../../tracing/dispatch.ts'
import { wrapMethod } from './wrap-method.ts'

interface Loader {
  _load: (this: unknown, request: string, ...rest: unknown[]) => unknown
}

/**
 * Hands over a CommonJS module each time that it is loaded, also when it is imported.
 *
 * @param pattern - Of what it is asked for by: a name, or the path of a file.
 * @param use - May return what is to be had instead of the module's exports.
 * @returns Ends it.
 */
export function onLoad(pattern: RegExp, use: (exports: unknown) => unknown): () => void {
  const loader = builtin('node:module').Module as unknown as Loader
  const meet = (exports: unknown): unknown => {
    try {
      return use(exports) ?? exports
    } catch {
      dispatch.cpu.countInvalid()
      return exports
    }
  }
  return wrapMethod(
    loader,
    '_load',
    (original, isOn) =>
      function _load(this: unknown, request: string, ...rest: unknown[]): unknown {
        const exports = original.call(this, request, ...rest)
        return isOn() && typeof request === 'string' && pattern.test(request) ? meet(exports) : exports
      },
  )
}
