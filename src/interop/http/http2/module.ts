import type * as Http2 from 'node:http2'
import { builtin } from '../../../model/runtime/builtins.ts'
import { harmless } from '../../patching/harmless.ts'
import { wrapMethod } from '../../patching/wrap-method.ts'

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown

/**
 * Calls `use` once the program has loaded `node:http2`, before its first connection is made or taken. Loading it ourselves would
 * take each service 5 to 10 ms and a megabyte at its start, and most never use it. Nothing tells of a module of Node that is
 * loaded by `import`, so it is looked for where connections begin.
 *
 * @returns Ends it, and what `use` returned.
 */
export function whenHttp2IsLoaded(use: (http2: typeof Http2) => () => void): () => void {
  let end: () => void = () => {}
  const look = (): boolean => {
    if (!isLoaded()) return false
    end()
    end = use(builtin('node:http2'))
    return true
  }
  if (look()) return () => end()
  const { Server, Socket } = builtin('node:net')
  const check = harmless(() => void look())
  const checked = (original: AnyFunction, isOn: () => boolean): AnyFunction =>
    function (this: unknown, ...args: unknown[]): unknown {
      if (isOn()) check()
      return original.apply(this, args)
    }
  const restores = [
    wrapMethod(Socket.prototype as unknown as { connect: AnyFunction }, 'connect', checked),
    wrapMethod(Server.prototype as unknown as { listen: AnyFunction }, 'listen', checked),
  ]
  end = () => {
    for (const restore of restores) restore()
  }
  return () => end()
}

/** `process.moduleLoadList` is not documented: without it the module is taken for loaded. */
function isLoaded(): boolean {
  const { moduleLoadList } = process as { readonly moduleLoadList?: unknown }
  return !Array.isArray(moduleLoadList) || moduleLoadList.includes('NativeModule http2')
}
