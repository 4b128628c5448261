import { builtin } from '../model/runtime/builtins.ts'

/** Where in the program a span was defined. */
export interface CallSite {
  /** Path of the source file; empty when it is not known. */
  readonly file: string
  /** Line in it, from 1; 0 when it is not known. */
  readonly line: number
}

export const UNKNOWN_CALL_SITE: CallSite = { file: '', line: 0 }

/** Frames looked at: a decorator is called through a few helpers where it was compiled. */
const MAX_FRAMES = 6
/**
 * What calls a decorator: `__esDecorate`, `__decorateElement` and their like, which TypeScript and esbuild put into the
 * file, `_ts_decorate` and `_apply_decs_2203_r` of swc, `_applyDecoratedDescriptor` of Babel, and `reflect-metadata`.
 */
const COMPILER_HELPER =
  /^at (?:(?:\w+\.)?(?:__\w+|_ts_decorate|_apply_decs\w*|_?apply(?:Member)?Decs?\d*R?|memberDec|_applyDecoratedDescriptor|DecorateProperty)|Reflect\.decorate) /
/** A URL or an absolute path, then line and column. */
const LOCATION = /^((?:[a-z][a-z\d+.-]*:|\/|[a-z]:[\\/]|\\\\).*?):(\d+)(?::\d+)?$/i
const MAX_LINE = 2 ** 32 - 1

/**
 * The place that called `callee`. It walks the stack, some 10 microseconds, so it is for once per name, never per event.
 * The stack's text is read, not its structure: that is where Node applies source maps when they are on.
 *
 * @param callee - The public function that the host called: frames up to and including it are left out.
 */
export function captureCallSite(callee: (...args: never[]) => unknown): CallSite {
  const holder: { stack?: string } = {}
  const limit = Error.stackTraceLimit
  try {
    Error.stackTraceLimit = MAX_FRAMES
    Error.captureStackTrace(holder, callee)
    const stack: unknown = holder.stack
    return typeof stack === 'string' ? parseFrame(stack) : UNKNOWN_CALL_SITE
  } catch {
    // A host may freeze Error or install a prepareStackTrace that throws: the span goes without its place.
    return UNKNOWN_CALL_SITE
  } finally {
    restoreStackTraceLimit(limit)
  }
}

/** Reads file and line from the first frame of a stack's text that is not a helper of the compiler. */
export function parseFrame(stack: string): CallSite {
  for (const line of stack.split('\n')) {
    const text = line.trim()
    if (!text.startsWith('at ') || COMPILER_HELPER.test(text)) continue
    const match = matchLocation(text.slice(3).replace(/^async /, ''))
    if (match === null) continue
    const path = match[1]!
    const file = path.startsWith('file://') ? toPath(path) : path
    return { file, line: Math.min(Number(match[2]), MAX_LINE) }
  }
  return UNKNOWN_CALL_SITE
}

/** A frame is a location, or a function's name and a location in parentheses; both may have parentheses of their own. */
function matchLocation(frame: string): RegExpExecArray | null {
  if (!frame.endsWith(')')) return LOCATION.exec(frame)
  for (let open = frame.indexOf(' ('); open >= 0; open = frame.indexOf(' (', open + 1)) {
    const location = frame.slice(open + 2, -1)
    if (location.startsWith('eval at ')) return null
    const match = LOCATION.exec(location)
    if (match !== null) return match
  }
  return null
}

function toPath(url: string): string {
  try {
    return builtin('node:url').fileURLToPath(url)
  } catch {
    return url
  }
}

function restoreStackTraceLimit(limit: number): void {
  try {
    Error.stackTraceLimit = limit
  } catch {
    // Frozen by the host, so it was never changed.
  }
}
