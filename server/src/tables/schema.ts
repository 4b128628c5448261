/** Changes with each change of the tables or of what decoding puts into them: an older database is made anew. */
export const SCHEMA_VERSION = 1

/**
 * What is told of each event once stands in tables of its own: what belongs to a block, a stream, a process, a text, a
 * set of properties. A row of an event is a few integers and what no other row has.
 */
export const TABLES: readonly string[] = [
  'CREATE TABLE IF NOT EXISTS meta(name VARCHAR, value VARCHAR)',
  `CREATE TABLE IF NOT EXISTS processes(
     id INTEGER, process_id VARCHAR, exe VARCHAR, username VARCHAR, realname VARCHAR, computer VARCHAR, distro VARCHAR,
     cpu_brand VARCHAR, tsc_frequency BIGINT, start_time BIGINT, start_ticks BIGINT, insert_time BIGINT,
     parent_process_id VARCHAR, properties VARCHAR)`,
  `CREATE TABLE IF NOT EXISTS streams(
     id INTEGER, stream_id VARCHAR, process INTEGER, dependencies_metadata BLOB, objects_metadata BLOB, tags VARCHAR,
     properties VARCHAR, insert_time BIGINT)`,
  `CREATE TABLE IF NOT EXISTS blocks(
     id INTEGER, block_id VARCHAR, stream INTEGER, process INTEGER, begin_time BIGINT, begin_ticks BIGINT,
     end_time BIGINT, end_ticks BIGINT, nb_objects INTEGER, object_offset BIGINT, payload_size BIGINT, insert_time BIGINT)`,
  'CREATE TABLE IF NOT EXISTS texts(id INTEGER, text VARCHAR)',
  'CREATE TABLE IF NOT EXISTS property_sets(id INTEGER, json VARCHAR)',
  // Which blocks each set of views has read: state 0 is read, 1 unreadable.
  `CREATE TABLE IF NOT EXISTS decoded(
     view_set INTEGER, block INTEGER, state INTEGER, row_count INTEGER, bytes BIGINT, min_time BIGINT, max_time BIGINT,
     updated BIGINT)`,
  'CREATE TABLE IF NOT EXISTS log_rows(block INTEGER, time BIGINT, target INTEGER, level INTEGER, msg VARCHAR, properties INTEGER)',
  'CREATE TABLE IF NOT EXISTS measure_rows(block INTEGER, time BIGINT, target INTEGER, name INTEGER, unit INTEGER, value DOUBLE, properties INTEGER)',
  `CREATE TABLE IF NOT EXISTS async_rows(
     block INTEGER, time BIGINT, is_end UTINYINT, span_id BIGINT, parent_span_id BIGINT, depth UINTEGER, place INTEGER,
     properties INTEGER)`,
  // `part` is the hour of insertion: the calls of a stream are rebuilt an hour at a time.
  `CREATE TABLE IF NOT EXISTS span_rows(
     stream INTEGER, part BIGINT, id BIGINT, parent BIGINT, depth UINTEGER, begin_time BIGINT, end_time BIGINT, place INTEGER,
     properties INTEGER)`,
  'CREATE TABLE IF NOT EXISTS image_rows(block INTEGER, time BIGINT, name VARCHAR, format INTEGER, data BLOB)',
  'CREATE TABLE IF NOT EXISTS places(id INTEGER, hash UINTEGER, name VARCHAR, target VARCHAR, filename VARCHAR, line UINTEGER)',
]

/** Tables whose rows belong to blocks. */
export const BLOCK_TABLES = ['log_rows', 'measure_rows', 'async_rows', 'image_rows', 'decoded'] as const

/** Sets of views that are made by decoding blocks, and the numbers they have in `decoded`. */
export const VIEW_SETS = { log_entries: 1, measures: 2, async_events: 3, thread_spans: 4, images: 5 } as const

export type DecodedViewSet = keyof typeof VIEW_SETS

/** The tag of the streams whose blocks a set of views shows. */
export const TAG_OF: Readonly<Record<DecodedViewSet, string>> = {
  log_entries: 'log',
  measures: 'metrics',
  async_events: 'cpu',
  thread_spans: 'cpu',
  images: 'image',
}
