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

/**
 * Escapes what is no text: control characters, those that turn the direction of writing or show nothing, lone surrogates.
 * What a client sent can neither steer a terminal nor fake a line nor hide in one. The two joiners stay, since emoji and
 * some scripts are made with them.
 */
export function printable(text: string): string {
  return text.replace(/(?![\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (char) => {
    const code = (char.codePointAt(0) as number).toString(16)
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`
  })
}

/** JSON without any character that {@link printable} would escape; it reads back as the same value. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(/(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) =>
    // Only strings hold such characters. JSON knows UTF-16 units.
    [...Array(char.length).keys()]
      .map((i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}
