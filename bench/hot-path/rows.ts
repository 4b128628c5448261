import type { Goal } from '../support/goal.ts'
import type { Formula } from './figures.ts'

/** The measured processes, by name, with their scripts' further arguments. */
export const GROUPS = {
  recording: { script: 'hot-path/groups/recording.mjs', args: [] },
  off: { script: 'hot-path/groups/off.mjs', args: [] },
  'not started': { script: 'hot-path/groups/not-started.mjs', args: [] },
  pino: { script: 'hot-path/groups/peer.mjs', args: ['pino'] },
  winston: { script: 'hot-path/groups/peer.mjs', args: ['winston'] },
  'OpenTelemetry logs': { script: 'hot-path/groups/peer.mjs', args: ['opentelemetry-logs'] },
  'OpenTelemetry spans': { script: 'hot-path/groups/peer.mjs', args: ['opentelemetry-spans'] },
} as const satisfies Record<string, { readonly script: string; readonly args: readonly string[] }>

export type Group = keyof typeof GROUPS

/** One line of the table. */
export interface Row {
  /** Key in `bench/baseline.json`. */
  readonly id: string
  readonly group: Group
  /** Table of the documentation that the row stands in. */
  readonly section: string
  readonly label: string
  /** Nanoseconds shown beside the ratio. */
  readonly subject: Formula
  readonly ratio: Formula
  /** What the ratio is a ratio to. */
  readonly unit: string
  readonly goal?: Goal | undefined
}

const RECORDING = 'Recording one event'
const NOTHING_RECORDED = 'Calls that record nothing'
const CLOCK_READS = 'clock reads'
const clock = 'clock.hrtime'

/** A cost in clock reads. @param events - Events of one operation; the figure is for one event. */
function cost(group: Group, id: string, label: string, atMost: number | undefined, events = 1): Row {
  const goal = atMost === undefined ? undefined : { atMost }
  return {
    id: group === 'not started' ? `not-started.${id}` : id,
    group,
    section: group === 'recording' ? RECORDING : NOTHING_RECORDED,
    label,
    subject: (ns) => ns(id) / events,
    ratio: (ns) => ns(id) / events / ns(clock),
    unit: CLOCK_READS,
    goal,
  }
}

/** How many times as much a span with properties takes as one without. */
function overPlainSpan(id: string, label: string): Row {
  return {
    id,
    group: 'recording',
    section: RECORDING,
    label,
    subject: (ns) => ns(id),
    ratio: (ns) => ns(id) / ns('span.async'),
    unit: '× without',
    goal: { atMost: 2 },
  }
}

/** How many times as much a peer takes for the same work. */
function peer(group: Group, id: string, label: string, ours: string, atLeast?: number): Row {
  return {
    id,
    group,
    section: 'Other libraries',
    label,
    subject: (ns) => ns(id),
    ratio: (ns) => ns(id) / ns(ours),
    unit: '× ours',
    goal: atLeast === undefined ? undefined : { atLeast },
  }
}

const recording: readonly Row[] = [
  cost('recording', 'clock.hrtime', 'clock: hrtime.bigint() into a DataView', undefined),
  cost('recording', 'clock.cell', 'clock: hrtime.bigint() into a BigInt64Array', undefined),
  cost('recording', 'clock.performance', 'clock: performance.now()', undefined),
  cost('recording', 'metric.integer', 'integer metric', 1.15),
  cost('recording', 'metric.float', 'float metric', 1.15),
  cost('recording', 'log.static.template', 'static log, template', 1.15),
  cost('recording', 'log.static.string', 'static log, string', 1.15),
  cost('recording', 'span.begin-end', 'thread span, per event: begin() and end()', 1.15, 2),
  cost('recording', 'span.definition', 'thread span, per event: span(definition, fn)', 1.15, 2),
  cost('recording', 'span.name', "thread span, per event: span('name', fn)", 1.15, 2),
  cost('recording', 'metric.integer.tagged', 'integer metric with a property set', 1.25),
  cost('recording', 'metric.float.tagged', 'float metric with a property set', 1.25),
  cost('recording', 'log.tagged', "static log with a property set: info('text', set)", 1.3),
  cost('recording', 'log.bound.template', 'static log of a logger with() a set, template', 1.3),
  cost('recording', 'log.bound.string', 'static log of a logger with() a set, string', 1.3),
  cost('recording', 'log.formatted', 'formatted log, two values, 35 characters', 2.2),
  cost('recording', 'log.turns.template', 'four static logs in turn, templates', undefined),
  cost('recording', 'log.turns.string', 'four static logs in turn, strings', undefined),
  cost('recording', 'log.turns.tagged', 'four static logs in turn with a property set', undefined),
  cost('recording', 'log.formatted.tagged', 'formatted log of a logger with() a set', undefined),
  cost('recording', 'log.within', 'static log within an async span, with its ids', undefined),
  cost('recording', 'log.within.formatted', 'formatted log within an async span, with its ids', undefined),
  cost('recording', 'log.built', 'log of a text built by the caller, ever new', 6),
  cost('recording', 'als.run.async', 'AsyncLocalStorage.run of an async function, awaited', undefined),
  cost('recording', 'als.run.wrapped', 'the same within an async function that awaits it', undefined),
  cost('recording', 'als.run', 'AsyncLocalStorage.run of a plain function', undefined),
  cost('recording', 'span.async', 'async span: asyncSpan(definition, fn), awaited', undefined),
  cost('recording', 'span.async.handle', 'async span: beginAsyncSpan(), run(), end()', undefined),
  overPlainSpan('span.async.set', 'asyncSpan with a property set of three'),
  overPlainSpan('span.async.properties', 'asyncSpan with three properties, one of them ever new'),
  {
    id: 'span.async.allowed',
    group: 'recording',
    section: RECORDING,
    label: 'asyncSpan over 2 clock reads + 1.3 × run awaited',
    subject: (ns) => ns('span.async'),
    ratio: (ns) => ns('span.async') / (2 * ns(clock) + 1.3 * ns('als.run.async')),
    unit: 'of what is allowed',
    goal: { atMost: 1.2 },
  },
  {
    id: 'span.async.wrapped',
    group: 'recording',
    section: RECORDING,
    label: 'asyncSpan over 2 clock reads + 1.3 × run awaited within',
    subject: (ns) => ns('span.async'),
    ratio: (ns) => ns('span.async') / (2 * ns(clock) + 1.3 * ns('als.run.wrapped')),
    unit: 'of what is allowed',
  },
  {
    id: 'span.async.handle.allowed',
    group: 'recording',
    section: RECORDING,
    label: 'beginAsyncSpan over 2 clock reads + 1.3 × run',
    subject: (ns) => ns('span.async.handle'),
    ratio: (ns) => ns('span.async.handle') / (2 * ns(clock) + 1.3 * ns('als.run')),
    unit: 'of what is allowed',
    goal: { atMost: 1 },
  },
]

const off: readonly Row[] = [
  cost('off', 'off.log.static.template', 'level disabled: static log, template', 0.1),
  cost('off', 'off.log.static.string', 'level disabled: static log, string', 0.1),
  cost('off', 'off.log.formatted', 'level disabled: formatted log', 0.1),
  cost('off', 'off.log.tagged', 'level disabled: log with a property set', 0.1),
  cost('off', 'off.span.begin-end', 'tracing off: begin() or end()', 0.1, 2),
  cost('off', 'off.span.definition', 'tracing off: span(definition, fn)', 0.1),
  {
    id: 'off.span.async',
    group: 'off',
    section: NOTHING_RECORDED,
    label: 'tracing off: asyncSpan, over the function alone',
    subject: (ns) => ns('off.span.async') - ns('await.function'),
    ratio: (ns) => (ns('off.span.async') - ns('await.function')) / ns(clock),
    unit: CLOCK_READS,
    goal: { atMost: 0.1 },
  },
]

const notStarted: readonly Row[] = [
  cost('not started', 'metric.integer', 'not started: integer metric', 0.1),
  cost('not started', 'metric.float', 'not started: float metric', 0.1),
  cost('not started', 'metric.float.tagged', 'not started: float metric with a property set', 0.1),
  cost('not started', 'log.static.template', 'not started: static log, template', 0.1),
  cost('not started', 'log.static.string', 'not started: static log, string', 0.1),
  cost('not started', 'log.tagged', 'not started: static log with a property set', 0.1),
  cost('not started', 'log.formatted', 'not started: formatted log', 0.1),
  cost('not started', 'span.begin-end', 'not started: begin() or end()', 0.1, 2),
  cost('not started', 'span.definition', 'not started: span(definition, fn)', 0.1),
  {
    id: 'not-started.span.async',
    group: 'not started',
    section: NOTHING_RECORDED,
    label: 'not started: asyncSpan, over the function alone',
    subject: (ns) => ns('span.async') - ns('await.function'),
    ratio: (ns) => (ns('span.async') - ns('await.function')) / ns(clock),
    unit: CLOCK_READS,
    goal: { atMost: 0.1 },
  },
]

const peers: readonly Row[] = [
  peer('OpenTelemetry spans', 'opentelemetry.span', 'OpenTelemetry: span', 'span.begin-end', 40),
  peer('OpenTelemetry logs', 'opentelemetry.log', 'OpenTelemetry: log record', 'log.formatted', 6),
  peer('pino', 'pino.formatted', 'pino: formatted message', 'log.formatted', 20),
  peer('pino', 'pino.built', 'pino: message built by the caller', 'log.formatted'),
  peer('pino', 'pino.static', 'pino: static message', 'log.static.string'),
  peer('winston', 'winston.formatted', 'winston: message built by the caller', 'log.formatted'),
]

/** The table, in the order shown. */
export const ROWS: readonly Row[] = [...recording, ...off, ...notStarted, ...peers]
