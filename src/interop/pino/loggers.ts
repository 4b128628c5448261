import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { recordShownLog } from '../../tracing/logs/record-log.ts'
import { harmless } from '../patching/harmless.ts'
import { wrapLoaded } from '../patching/loads.ts'
import { LineRecorder } from './line-recorder.ts'
import { valueUnder } from './logger-traits.ts'
import { RECORDS } from './pino-stream.ts'

/** Where pino tells the lines that it makes, from 9.10 on; see its documentation of diagnostics channels. */
const LINES = 'tracing:pino_asJson:end'
/** What its main file loads, to make the methods of a logger. */
const METHODS = /^\.\/lib\/proto$/
const MAIN_FILE = /[\\/]pino\.js$/

/** An object, the message, the level's number, the time with the comma and the name before it. */
type LineArguments = readonly [object: unknown, message: unknown, level: unknown, time: unknown]
interface MadeLine {
  readonly instance: object
  readonly arguments: LineArguments
  readonly result?: unknown
}
type AsJson = (this: object, ...args: LineArguments) => unknown

/**
 * Records what every logger of pino writes, whatever it writes to, as `micromegasPinoStream` does; those that write to such
 * a stream are left to it. Sinks that show logs at once do not show it: the logger does.
 *
 * @returns Ends it.
 */
export function recordPinoLoggers(): () => void {
  const lines = new LineRecorder({ target: 'pino', keys: {}, recordedAs: new Map(), record: recordShownLog })
  let told: unknown
  const record = harmless((logger: object, [, , level, time]: LineArguments, made: unknown) => {
    const line = typeof made === 'string' ? asWritten(logger, made) : undefined
    if (typeof line !== 'string' || isRecorded(valueUnder(logger, 'pino.stream'))) return
    const timeText = String(time)
    lines.recordOf(logger, level, timeText.slice(timeText.indexOf(':') + 1), line)
  })
  const onLine: ChannelListener = (message) => {
    const { instance, arguments: args, result } = message as MadeLine
    told = result
    record(instance, args, result)
  }
  subscribe(LINES, onLine)
  const stop = wrapLoaded<AsJson>(
    METHODS,
    (exports, askedBy) => {
      if (!MAIN_FILE.test(askedBy)) return undefined
      const holder = Object.getPrototypeOf((exports as () => object)()) as Record<PropertyKey, AsJson>
      const name = Object.getOwnPropertySymbols(holder).find((key) => key.description === 'pino.asJson')
      return name && { holder, name }
    },
    (asJson, isOn) =>
      function (...args) {
        told = undefined
        const line = asJson.apply(this, args)
        if (isOn() && told === undefined) record(this, args, line)
        return line
      },
  )
  return () => {
    stop()
    unsubscribe(LINES, onLine)
  }
}

interface Stream {
  readonly [RECORDS]?: boolean
  /** Those of `pino.multistream`. */
  readonly streams?: readonly { readonly stream?: Stream }[]
}

function isRecorded(stream: unknown): boolean {
  const { [RECORDS]: records, streams } = stream as Stream
  return records === true || (Array.isArray(streams) && streams.some((one) => isRecorded(one.stream ?? {})))
}

/** What a hook of the logger's leaves of a line: it may take secrets out of it. */
function asWritten(logger: object, line: string): unknown {
  const hooks = valueUnder(logger, 'pino.hooks') as { readonly streamWrite?: unknown } | undefined
  const hook = hooks?.streamWrite
  return typeof hook === 'function' ? hook(line) : line
}
