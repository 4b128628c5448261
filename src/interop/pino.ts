/**
 * A transport for pino.
 *
 * @module micromegas/interop/pino
 */

import type { Writable } from 'node:stream'
import { TelemetryError } from '../model/errors.ts'
import type { LevelName } from '../model/level.ts'
import { recordLog } from '../tracing/logs/record-log.ts'
import { resolveRecordedAs } from './level-names.ts'
import { PinoStream as LineStream } from './pino/pino-stream.ts'

export type { LevelName } from '../model/level.ts'

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
  const { target = 'pino', levels, ...keys } = options
  const recordedAs = resolveRecordedAs(levels, 'a pino stream')
  return new LineStream({ target, keys, recordedAs, record: recordLog })
}

/**
 * What `pino.transport({ target: 'micromegas/interop/pino' })` calls, in a worker thread where no telemetry runs.
 *
 * @throws `TelemetryError` `ERR_TELEMETRY_CONFIG`, always: what is logged would be lost.
 */
export default function transport(): never {
  throw new TelemetryError(
    'ERR_TELEMETRY_CONFIG',
    'Cannot record from a pino transport: it runs in a worker thread, where there is no telemetry. ' +
      'Log to the stream instead, which does not block: pino(options, micromegasPinoStream())',
  )
}
