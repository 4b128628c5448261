import type { QueryAudit } from './sql/engine.ts'

/** What the server reports while it runs: to `onEvent`, or as text on the console. */
export type ServerEvent =
  /** A process, stream or block was stored for the first time. */
  | {
      readonly type: 'stored'
      readonly what: 'process' | 'stream' | 'block'
      readonly id: string
      readonly processId: string
      /** Bytes of the request body. */
      readonly bytes: number
    }
  /** An id that was stored before arrived again; the first one stands, the client was told 200. */
  | { readonly type: 'duplicate'; readonly what: 'process' | 'stream' | 'block'; readonly id: string }
  /** A request was refused. `reason` says what the client is not told. */
  | {
      readonly type: 'refused'
      readonly status: number
      readonly method: string
      readonly path: string
      readonly reason: string
    }
  /** A block was stored (200), but no reader can make sense of it, here or on a Micromegas server. */
  | {
      readonly type: 'undecodable'
      readonly blockId: string
      readonly streamId: string
      readonly processId: string
      readonly reason: string
    }
  /** A query has ended. */
  | ({ readonly type: 'query' } & QueryAudit)
  /** Something an operator should know; the server goes on. */
  | { readonly type: 'warning'; readonly message: string }

/** Receives events. It must not throw. */
export type ServerEventListener = (event: ServerEvent) => void

/** One line of text for an event, or `undefined` for those that are no news on a console. */
export function describeEvent(event: ServerEvent): string | undefined {
  switch (event.type) {
    case 'stored':
    case 'duplicate':
    case 'query':
      return undefined
    case 'refused':
      return `${event.method} ${event.path} refused with ${event.status}: ${event.reason}`
    case 'undecodable':
      return `block ${event.blockId} of stream ${event.streamId} cannot be read: ${event.reason}`
    case 'warning':
      return event.message
  }
}

/** Escapes control characters, so that what a client sent cannot steer a terminal or fake a log line. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (char) =>
    char === '\t' ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
