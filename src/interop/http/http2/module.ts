import type * as Http2 from 'node:http2'
import type { Server, Socket } from 'node:net'
import { builtin } from '../../../model/builtins.ts'
import { harmless } from '../requests.ts'

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
  const restores = [
    before(Socket.prototype as unknown as Methods<Socket>, 'connect', check),
    before(Server.prototype as unknown as Methods<Server>, 'listen', check),
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

type Methods<T> = Record<keyof T, AnyFunction>

/**
 * Has `fn` called before each call of a method, as long as nobody has wrapped it since.
 *
 * @returns Ends it.
 */
function before<T>(prototype: Methods<T>, name: keyof T, fn: () => void): () => void {
  const original = prototype[name]
  let isOn = true
  prototype[name] = function (this: unknown, ...args: unknown[]): unknown {
    if (isOn) fn()
    return original.apply(this, args)
  } as Methods<T>[keyof T]
  const wrapped = prototype[name]
  return () => {
    isOn = false
    if (prototype[name] === wrapped) prototype[name] = original
  }
}
