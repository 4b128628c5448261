/** The messages of Flight.proto and FlightSql.proto that are served, by the numbers of their fields. */
import type { IpcMessage } from '../sql/arrow/ipc.ts'
import { encodeMessage, MessageFields } from './protobuf.ts'

const TYPE_PREFIX = 'type.googleapis.com/arrow.flight.protocol.sql.'

/** What a client asks for, whether it comes as the ticket of a DoGet or as the command of a descriptor. */
export type FlightCommand =
  | { readonly kind: 'statement'; readonly sql: string }
  | {
      readonly kind: 'tables'
      readonly catalog: string | undefined
      readonly schemaPattern: string | undefined
      readonly tablePattern: string | undefined
      readonly types: readonly string[]
      readonly includeSchema: boolean
    }
  | { readonly kind: 'catalogs' }
  | { readonly kind: 'schemas' }
  | { readonly kind: 'tableTypes' }
  | { readonly kind: 'sqlInfo'; readonly infos: readonly number[] }
  | { readonly kind: 'ingest'; readonly table: string; readonly temporary: boolean }
  | { readonly kind: 'unknown'; readonly name: string }

/** `google.protobuf.Any`, as FlightSQL packs its messages; `undefined` for bytes that are something else. */
function unpackAny(bytes: Uint8Array): { readonly name: string; readonly message: Uint8Array } | undefined {
  const any = tryRead(bytes)
  const type = any?.text(1)
  if (type === undefined || !/^[\w.-]+\/[\w.]+$/.test(type)) return undefined
  const name = type.startsWith(TYPE_PREFIX) ? type.slice(TYPE_PREFIX.length) : type
  return { name, message: any?.bytes(2) ?? new Uint8Array() }
}

export function packAny(name: string, message: Uint8Array): Buffer {
  return encodeMessage([
    [1, TYPE_PREFIX + name],
    [2, message],
  ])
}

/** @param bytes - An Any, or a bare TicketStatementQuery, as the reference's own GetFlightInfo hands out. */
export function readCommand(bytes: Uint8Array): FlightCommand | undefined {
  const any = unpackAny(bytes)
  if (any === undefined) {
    const sql = tryRead(bytes)?.text(1)
    return sql === undefined ? undefined : { kind: 'statement', sql }
  }
  const fields = tryRead(any.message)
  if (fields === undefined) return undefined
  switch (any.name) {
    case 'TicketStatementQuery':
    case 'CommandStatementQuery':
    case 'CommandPreparedStatementQuery': // the handle is the SQL
      return { kind: 'statement', sql: fields.text(1) ?? '' }
    case 'CommandGetTables':
      return {
        kind: 'tables',
        catalog: fields.text(1),
        schemaPattern: fields.text(2),
        tablePattern: fields.text(3),
        types: fields.texts(4),
        includeSchema: fields.number(5) === 1n,
      }
    case 'CommandGetCatalogs':
      return { kind: 'catalogs' }
    case 'CommandGetDbSchemas':
      return { kind: 'schemas' }
    case 'CommandGetTableTypes':
      return { kind: 'tableTypes' }
    case 'CommandGetSqlInfo':
      return { kind: 'sqlInfo', infos: readPackedNumbers(fields) }
    case 'CommandStatementIngest':
      return { kind: 'ingest', table: fields.text(2) ?? '', temporary: fields.number(5) === 1n }
    default:
      return { kind: 'unknown', name: any.name }
  }
}

/** The ticket of a DoGet. */
export function readTicket(ticket: Uint8Array): Uint8Array | undefined {
  return tryRead(ticket)?.bytes(1)
}

const CMD = 2n

/** The command of a FlightDescriptor; `undefined` for one that is a path. */
export function readDescriptor(descriptor: Uint8Array): Uint8Array | undefined {
  const fields = tryRead(descriptor)
  return fields?.number(1) === CMD ? fields.bytes(2) : undefined
}

export interface FlightAction {
  readonly type: string
  readonly body: Uint8Array
}

export function readAction(action: Uint8Array): FlightAction | undefined {
  const fields = tryRead(action)
  return fields === undefined
    ? undefined
    : { type: fields.text(1) ?? '', body: fields.bytes(2) ?? new Uint8Array() }
}

/** The SQL of an ActionCreatePreparedStatementRequest. */
export function readPrepareRequest(body: Uint8Array): string | undefined {
  const any = unpackAny(body)
  return any?.name === 'ActionCreatePreparedStatementRequest' ? tryRead(any.message)?.text(1) : undefined
}

/** A Result that holds an ActionCreatePreparedStatementResult; the handle is the SQL itself. */
export function prepareResult(sql: string, schemaStream: Uint8Array): Buffer {
  const result = encodeMessage([
    [1, sql],
    [2, schemaStream],
  ])
  return encodeMessage([[1, packAny('ActionCreatePreparedStatementResult', result)]])
}

export function flightData({ header, body }: IpcMessage): Buffer {
  return encodeMessage([
    [2, header],
    [1000, body.length === 0 ? undefined : body],
  ])
}

/** A message of a DoPut; its descriptor comes with the first one. */
export function readFlightData(
  bytes: Uint8Array,
): { readonly descriptor: Uint8Array | undefined; readonly message: IpcMessage } | undefined {
  const fields = tryRead(bytes)
  if (fields === undefined) return undefined
  const header = fields.bytes(2) ?? new Uint8Array()
  const body = fields.bytes(1000) ?? new Uint8Array()
  return { descriptor: fields.bytes(1), message: { header, body } }
}

/** A PutResult that holds a DoPutUpdateResult. */
export function putResult(rows: number): Buffer {
  return encodeMessage([[1, encodeMessage([[1, rows]])]])
}

/** A FlightInfo with one endpoint, which is this server; sizes are unknown. */
export function flightInfo(
  schema: Uint8Array | undefined,
  descriptor: Uint8Array,
  ticket: Uint8Array,
): Buffer {
  const endpoint = encodeMessage([[1, encodeMessage([[1, ticket]])]])
  return encodeMessage([
    [1, schema],
    [2, descriptor],
    [3, endpoint],
    [4, -1],
    [5, -1],
  ])
}

/** A bare TicketStatementQuery, as the reference's GetFlightInfo hands out. */
export function statementTicket(sql: string): Buffer {
  return encodeMessage([[1, sql]])
}

export function schemaResult(schema: Uint8Array): Buffer {
  return encodeMessage([[1, schema]])
}

export function actionType(type: string, description: string): Buffer {
  return encodeMessage([
    [1, type],
    [2, description],
  ])
}

/** HealthCheckResponse of grpc.health.v1: SERVING. */
export const SERVING: Buffer = encodeMessage([[1, 1]])

/** `repeated uint32`, packed or not. */
function readPackedNumbers(fields: MessageFields): number[] {
  const packed = fields.bytes(1)
  if (packed === undefined) {
    const one = fields.number(1)
    return one === undefined ? [] : [Number(one)]
  }
  const numbers: number[] = []
  let value = 0
  let shift = 0
  for (const byte of packed) {
    value |= (byte & 0x7f) << shift
    shift += 7
    if (byte < 0x80) {
      numbers.push(value >>> 0)
      value = 0
      shift = 0
    }
  }
  return numbers
}

function tryRead(bytes: Uint8Array): MessageFields | undefined {
  try {
    return new MessageFields(bytes)
  } catch {
    return undefined // the caller answers INVALID_ARGUMENT
  }
}
