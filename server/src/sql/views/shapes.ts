import { FIELDS } from './fields.ts'
import type { ViewShape } from './scan-builder.ts'

/** Format of all streams here, by the reference's name for it. */
export const STREAM_FORMAT = 'micromegas-transit'
/** The audience of everything here: there are no others on one machine. */
const AUDIENCE = "'public'"

const BLOCK_JOINS = {
  b: { sql: 'JOIN blocks b ON b.id = r.block' },
  s: { sql: 'JOIN streams s ON s.id = b.stream', over: ['b'] },
  p: { sql: 'JOIN processes p ON p.id = b.process', over: ['b'] },
} as const

const OF_BLOCK = {
  process_id: 'p.process_id',
  stream_id: 's.stream_id',
  block_id: 'b.block_id',
  insert_time: 'b.insert_time',
  exe: 'p.exe',
  username: 'p.username',
  computer: 'p.computer',
  process_properties: 'p.properties',
  audience: AUDIENCE,
} as const

const text = (alias: string, column: string): { readonly sql: string } => ({
  sql: `JOIN texts ${alias} ON ${alias}.id = r.${column}`,
})

const PROPERTIES = { sql: 'JOIN property_sets ps ON ps.id = r.properties' }
const PLACE = { sql: 'JOIN places pl ON pl.id = r.place' }

const PLACE_COLUMNS = {
  hash: 'pl.hash',
  name: 'pl.name',
  target: 'pl.target',
  filename: 'pl.filename',
  line: 'pl.line',
} as const

export const LOG_ENTRIES: ViewShape = {
  fields: FIELDS.log_entries,
  from: 'log_rows r',
  joins: { ...BLOCK_JOINS, tt: text('tt', 'target'), ps: PROPERTIES },
  columns: {
    ...OF_BLOCK,
    time: 'r.time',
    target: 'tt.text',
    level: 'r.level',
    msg: 'r.msg',
    properties: 'ps.json',
  },
}

export const MEASURES: ViewShape = {
  fields: FIELDS.measures,
  from: 'measure_rows r',
  joins: {
    ...BLOCK_JOINS,
    tt: text('tt', 'target'),
    tn: text('tn', 'name'),
    tu: text('tu', 'unit'),
    ps: PROPERTIES,
  },
  columns: {
    ...OF_BLOCK,
    time: 'r.time',
    target: 'tt.text',
    name: 'tn.text',
    unit: 'tu.text',
    value: 'r.value',
    properties: 'ps.json',
  },
}

export const ASYNC_EVENTS: ViewShape = {
  fields: FIELDS.async_events,
  from: 'async_rows r',
  joins: { ...BLOCK_JOINS, pl: PLACE, ps: PROPERTIES },
  columns: {
    ...OF_BLOCK,
    ...PLACE_COLUMNS,
    time: 'r.time',
    event_type: "CASE r.is_end WHEN 1 THEN 'end' ELSE 'begin' END",
    span_id: 'r.span_id',
    parent_span_id: 'r.parent_span_id',
    depth: 'r.depth',
    properties: 'ps.json',
  },
}

export const IMAGES: ViewShape = {
  fields: FIELDS.images,
  from: 'image_rows r',
  joins: { ...BLOCK_JOINS, tf: text('tf', 'format') },
  columns: {
    ...OF_BLOCK,
    time: 'r.time',
    name: 'r.name',
    format: 'tf.text',
    payload_size: 'octet_length(r.data)',
    data: 'r.data',
  },
}

export const THREAD_SPANS: ViewShape = {
  fields: FIELDS.thread_spans,
  from: 'span_rows r',
  joins: { pl: PLACE, ps: PROPERTIES },
  columns: {
    ...PLACE_COLUMNS,
    id: 'r.id',
    parent: 'r.parent',
    depth: 'r.depth',
    begin: 'r.begin_time',
    end: 'r.end_time',
    duration: '(r.end_time - r.begin_time)',
    properties: 'ps.json',
  },
}

export const LOG_STATS: ViewShape = {
  fields: FIELDS.log_stats,
  from: `(SELECT b.process AS process, r.time - mm_floor_mod(r.time, 60000000000) AS time_bin, r.target AS target, r.level AS level,
     count(*) AS n FROM log_rows r JOIN blocks b ON b.id = r.block GROUP BY ALL) g`,
  joins: {
    p: { sql: 'JOIN processes p ON p.id = g.process' },
    tt: { sql: 'JOIN texts tt ON tt.id = g.target' },
  },
  columns: {
    time_bin: 'g.time_bin',
    process_id: 'p.process_id',
    level: 'g.level',
    target: 'tt.text',
    count: 'g.n',
    audience: AUDIENCE,
  },
}

const TAGS = 'from_json(s.tags, \'["VARCHAR"]\')'

export const BLOCKS: ViewShape = {
  fields: FIELDS.blocks,
  from: 'blocks b',
  joins: {
    s: { sql: 'JOIN streams s ON s.id = b.stream' },
    p: { sql: 'JOIN processes p ON p.id = b.process' },
  },
  columns: {
    block_id: 'b.block_id',
    stream_id: 's.stream_id',
    process_id: 'p.process_id',
    begin_time: 'b.begin_time',
    begin_ticks: 'b.begin_ticks',
    end_time: 'b.end_time',
    end_ticks: 'b.end_ticks',
    nb_objects: 'b.nb_objects',
    object_offset: 'b.object_offset',
    payload_size: 'b.payload_size',
    insert_time: 'b.insert_time',
    'streams.dependencies_metadata': 's.dependencies_metadata',
    'streams.objects_metadata': 's.objects_metadata',
    'streams.tags': TAGS,
    'streams.properties': 's.properties',
    'streams.insert_time': 's.insert_time',
    'streams.format': `'${STREAM_FORMAT}'`,
    'processes.start_time': 'p.start_time',
    'processes.start_ticks': 'p.start_ticks',
    'processes.tsc_frequency': 'p.tsc_frequency',
    'processes.exe': 'p.exe',
    'processes.username': 'p.username',
    'processes.realname': 'p.realname',
    'processes.computer': 'p.computer',
    'processes.distro': 'p.distro',
    'processes.cpu_brand': 'p.cpu_brand',
    'processes.insert_time': 'p.insert_time',
    'processes.parent_process_id': "nullif(p.parent_process_id, '')",
    'processes.properties': 'p.properties',
    audience: AUDIENCE,
  },
}

/** A process without a block is not shown, as there. */
export const PROCESSES: ViewShape = {
  fields: FIELDS.processes,
  from: `(SELECT process, max(insert_time) AS last_update_time, max(end_ticks) AS last_block_end_ticks,
     max(end_time) AS last_block_end_time FROM blocks GROUP BY process) g`,
  joins: { p: { sql: 'JOIN processes p ON p.id = g.process' } },
  columns: {
    process_id: 'p.process_id',
    exe: 'p.exe',
    username: 'p.username',
    realname: 'p.realname',
    computer: 'p.computer',
    distro: 'p.distro',
    cpu_brand: 'p.cpu_brand',
    tsc_frequency: 'p.tsc_frequency',
    start_time: 'p.start_time',
    start_ticks: 'p.start_ticks',
    insert_time: 'p.insert_time',
    parent_process_id: "nullif(p.parent_process_id, '')",
    properties: 'p.properties',
    last_update_time: 'g.last_update_time',
    last_block_end_ticks: 'g.last_block_end_ticks',
    last_block_end_time: 'g.last_block_end_time',
    audience: AUDIENCE,
  },
}

export const STREAMS: ViewShape = {
  fields: FIELDS.streams,
  from: '(SELECT stream, max(insert_time) AS last_update_time FROM blocks GROUP BY stream) g',
  joins: {
    s: { sql: 'JOIN streams s ON s.id = g.stream' },
    p: { sql: 'JOIN processes p ON p.id = s.process', over: ['s'] },
  },
  columns: {
    stream_id: 's.stream_id',
    process_id: 'p.process_id',
    dependencies_metadata: 's.dependencies_metadata',
    objects_metadata: 's.objects_metadata',
    tags: TAGS,
    properties: 's.properties',
    insert_time: 's.insert_time',
    format: `'${STREAM_FORMAT}'`,
    last_update_time: 'g.last_update_time',
    audience: AUDIENCE,
  },
}
