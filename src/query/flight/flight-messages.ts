/** The messages of Flight.proto and FlightSql.proto that are used here, by the numbers of their fields. */
import { corrupt } from '../arrow/ipc-message.ts'
import { encodeMessage, MessageFields } from './protobuf.ts'

const FLIGHT_SQL = 'type.googleapis.com/arrow.flight.protocol.sql.'
const COMMAND = 2 // FlightDescriptor.DescriptorType.CMD

/** google.protobuf.Any */
function pack(name: string, message: Uint8Array): Buffer {
  return encodeMessage([
    [1, FLIGHT_SQL + name],
    [2, message],
  ])
}

function unpack(bytes: Uint8Array, name: string): MessageFields {
  const any = new MessageFields(bytes)
  if (any.text(1) !== FLIGHT_SQL + name) throw corrupt(`the server answered with something else than ${name}`)
  return new MessageFields(any.bytes(2))
}

/** A `Ticket` with the SQL itself in it: servers of Micromegas run it, with no `GetFlightInfo` before. */
export function queryTicket(sql: string): Buffer {
  return encodeMessage([[1, pack('TicketStatementQuery', encodeMessage([[1, sql]]))]])
}

/** An `Action` that prepares a statement. */
export function prepareAction(sql: string): Buffer {
  return encodeMessage([
    [1, 'CreatePreparedStatement'],
    [2, pack('ActionCreatePreparedStatementRequest', encodeMessage([[1, sql]]))],
  ])
}

/** What a server says of a statement that it has prepared. */
export interface PreparedStatementResult {
  /** The SQL, which is what servers of Micromegas use for a handle. */
  readonly handle: string
  /** The schema of its result, as an IPC stream. */
  readonly schema: Uint8Array
}

/** @param result - A `Result`. @throws {@link QueryError} `DATA_LOSS` when it is something else. */
export function readPrepared(result: Uint8Array): PreparedStatementResult {
  const fields = unpack(new MessageFields(result).bytes(1), 'ActionCreatePreparedStatementResult')
  return { handle: fields.text(1), schema: fields.bytes(2) }
}

/** The `FlightDescriptor` of rows for a table. */
export function ingestDescriptor(table: string): Buffer {
  return encodeMessage([
    [1, COMMAND],
    [2, pack('CommandStatementIngest', encodeMessage([[2, table]]))],
  ])
}

/** How many rows the server took. @param result - A `PutResult`. */
export function readRecordCount(result: Uint8Array): bigint {
  return new MessageFields(new MessageFields(result).bytes(1)).number(1)
}

const [DESCRIPTOR, HEADER, BODY] = [1, 2, 1000]

/** The parts of an Arrow message. */
export interface FlightData {
  readonly header: Uint8Array
  readonly body: Uint8Array
}

/** @returns `undefined` for a message that holds metadata of the application only. */
export function readFlightData(message: Uint8Array): FlightData | undefined {
  const fields = new MessageFields(message)
  const header = fields.bytes(HEADER)
  return header.length === 0 ? undefined : { header, body: fields.bytes(BODY) }
}

export function flightData(data: FlightData, descriptor?: Uint8Array): Buffer {
  return encodeMessage([
    [DESCRIPTOR, descriptor],
    [HEADER, data.header],
    [BODY, data.body],
  ])
}
