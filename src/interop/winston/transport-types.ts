import type { Writable } from 'node:stream'
import type { LevelName } from '../../model/level.ts'
import type { WinstonInfo } from './info-event.ts'

/** A format of winston's. */
export interface WinstonFormat {
  options?: object
  transform: (info: WinstonInfo, options?: unknown) => WinstonInfo | boolean
}

export interface MicromegasWinstonTransportOptions {
  /** Target of events that have no `label`. @defaultValue `winston` */
  readonly target?: string | undefined
  /** Least severe of the logger's levels that is recorded. @defaultValue the logger's own level */
  readonly level?: string | undefined
  /** Applied after the logger's format. @defaultValue none */
  readonly format?: WinstonFormat | undefined
  /** Records nothing. @defaultValue `false` */
  readonly silent?: boolean | undefined
  /** Records uncaught exceptions that winston handles. @defaultValue `false`: running telemetry records them itself */
  readonly handleExceptions?: boolean | undefined
  /** The same for unhandled rejections. @defaultValue `false` */
  readonly handleRejections?: boolean | undefined
  /** What levels of the logger's own are recorded as, and such as are to be recorded otherwise than documented. */
  readonly levels?: Readonly<Record<string, LevelName>> | undefined
}

/** What a transport has from `winston-transport`: winston reads and sets it. */
export interface WinstonTransportBase extends Writable {
  level?: string
  format?: WinstonFormat
  silent?: boolean
  handleExceptions?: boolean
  handleRejections?: boolean
  /** Severity numbers by level, 0 the most severe: those of the logger that the transport was added to first. */
  levels?: Readonly<Record<string, number>>
  /** That logger, while the transport is one of its own. */
  parent?: { readonly level?: string } | null
}
