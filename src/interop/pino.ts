import type { Writable } from 'node:stream'
import { parentPort } from 'node:worker_threads'
import { TelemetryError } from '../model/errors.ts'
import type { LevelName } from '../model/level.ts'
import { dispatch } from '../tracing/dispatch.ts'
import { resolveRecordedAs } from './level-names.ts'
import { PinoStream as LineStream } from './pino/pino-stream.ts'

export interface PinoStreamOptions {
  /** Target of loggers that have no `name`. @defaultValue `pino` */
  readonly target?: string | undefined
  /** What levels of the logger's own are recorded as, by name or number, and such as are to be recorded otherwise. */
  readonly levels?: Readonly<Record<string, LevelName>> | undefined
  /** For lines that are piped in: the `messageKey` of their logger. @defaultValue that of the logger, or `msg` */
  readonly messageKey?: string | undefined
  /** The same for `errorKey`. @defaultValue that of the logger, or `err` */
  readonly errorKey?: string | undefined
  /** The same for `nestedKey`. @defaultValue that of the logger, or none */
  readonly nestedKey?: string | undefined
}

/** What pino writes to: a stream of text or bytes in which every line is an event. It never asks its source to wait. */
export type PinoStream = Writable

/**
 * A destination for pino, in its own thread: `pino(options, micromegasPinoStream())`, or one of several in
 * `pino.multistream`. Each line becomes a log event, which has what pino has made of it, redaction and serializers
 * included.
 *
 * The target is the `name` of the logger. The level is found by the level's name, else it is that of the less severe
 * neighbour among the levels of the logger. The message is `msg`, with the stack of `err` below, its causes and the
 * errors it is made of. Every other field is a property as pino wrote it, objects as JSON, other members of the error as
 * `err.type`, `err.code` and so on; `time` is left out because the event has one, `pid` and `hostname` where they are
 * this process's. A line that is not a JSON object, or longer than 1 Mi characters, is recorded as it is.
 *
 * Lines can be piped in too, from a file or another process, in chunks that break anywhere. Text without a line end is
 * recorded when its line ends, or the stream.
 *
 * @throws `TypeError` when `levels` names a level that does not exist.
 * @example
 * ```ts
 * const streams = [{ stream: process.stdout }, { level: 'debug', stream: micromegasPinoStream() }]
 * const log = pino({ name: 'shop', level: 'debug' }, pino.multistream(streams))
 * ```
 */
export function micromegasPinoStream(options: PinoStreamOptions = {}): PinoStream {
  return makeStream(options)
}

function makeStream({ target = 'pino', levels, ...keys }: PinoStreamOptions): LineStream {
  return new LineStream({ target, keys, recordedAs: resolveRecordedAs(levels, 'a pino stream') })
}

/**
 * What `pino.transport({ target: 'micromegas/interop/pino' })` calls, in a worker thread, with its `options`. Telemetry
 * must run in that thread: it does where it is started by `--import`, which worker threads inherit.
 *
 * @throws {@link TelemetryError} `ERR_TELEMETRY_CONFIG` when it does not run there; what is logged would be lost.
 */
export default function transport(options: PinoStreamOptions = {}): PinoStream {
  if (!dispatch.running) {
    throw new TelemetryError(
      'ERR_TELEMETRY_CONFIG',
      "Cannot record what a pino transport is given: no telemetry runs in the transport's worker thread. " +
        'Log to the stream instead: pino(options, micromegasPinoStream())',
    )
  }
  const stream = makeStream(options)
  parentPort?.on('message', (message) => stream.learn(message))
  return stream
}
