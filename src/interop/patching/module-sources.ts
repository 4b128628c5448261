import { builtin } from '../../model/runtime/builtins.ts'

/** What is added to ES modules whose address matches. */
interface Addition {
  readonly pattern: RegExp
  /** They run when the rest of the module has, among its own variables. They do not throw. */
  readonly statements: string
}

interface Loaded {
  readonly source?: string | ArrayBuffer | Uint8Array | null
}
type NextLoad<Result> = (url: string, context: unknown) => Result
/** From Node 22.15 on. */
interface Hooks {
  registerHooks?: (hooks: {
    load: (url: string, context: unknown, next: NextLoad<Loaded>) => Loaded
  }) => unknown
}

/**
 * Adds statements to ES modules that are loaded from now on: nothing else reaches what a module does not let others change.
 * In Node 20 that takes a thread, which starts here.
 */
export function addToModules({ pattern, statements }: Addition): void {
  const { register, registerHooks } = builtin('node:module') as typeof import('node:module') & Hooks
  if (registerHooks === undefined) {
    const values = `const pattern = ${pattern}; const statements = ${JSON.stringify(statements)}`
    const hook = `export const load = async (url, context, next) => add(url, await next(url, context), pattern, statements)`
    register(`data:text/javascript,${encodeURIComponent(`${values}\nconst add = ${add}\n${hook}`)}`)
    return
  }
  registerHooks({ load: (url, context, next) => add(url, next(url, context), pattern, statements) })
}

/** Runs as text in the thread too: it knows nothing but its parameters and `Buffer`, which builds leave as it is. */
function add(url: string, loaded: Loaded, pattern: RegExp, statements: string): Loaded {
  const { source } = loaded
  if (!pattern.test(url) || source === undefined || source === null) return loaded
  const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString()
  return { ...loaded, source: `${text}\n${statements}` }
}
