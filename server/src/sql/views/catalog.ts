import type { TimeRange } from '../../nanoseconds.ts'
import type { Tables } from '../../tables/tables.ts'
import type { Catalog, TableSource } from '../plan/context.ts'
import type { Expr } from '../plan/expression/expr.ts'
import { type Place, planError } from '../sql-error.ts'
import { duckType } from '../types/duck-type.ts'
import { type AdminActions, adminFunction } from './admin/admin-functions.ts'
import { listPartitions, listViewSets } from './admin/partitions.ts'
import { textArgument } from './arguments.ts'
import { FIELDS } from './fields.ts'
import { informationSchema } from './information-schema.ts'
import { parseBlock } from './parse-block.ts'
import { perfettoTraceChunks } from './perfetto/perfetto.ts'
import { processSpans } from './process-spans.ts'
import { BY_BIN, BY_BLOCK, BY_PROCESS_LIFE, BY_SPAN, BY_STREAM_LIFE, BY_TIME } from './range-filter.ts'
import { emptySource } from './scan-builder.ts'
import type { Preparations } from './session-plan.ts'
import {
  ASYNC_EVENTS,
  BLOCKS,
  IMAGES,
  LOG_ENTRIES,
  LOG_STATS,
  MEASURES,
  PROCESSES,
  STREAMS,
  THREAD_SPANS,
} from './shapes.ts'
import { TABLE_FUNCTIONS } from './table-functions.ts'
import { parseUuidText } from './uuid.ts'
import { viewError, viewSource } from './view-source.ts'

export interface CatalogOptions {
  readonly tables: Tables
  readonly range: TimeRange | undefined
  readonly isAdmin: boolean
  readonly admin: AdminActions
  readonly preparations: Preparations
}

/** The tables and table functions of the server, as one query sees them. */
export class ServerCatalog implements Catalog {
  readonly #options: CatalogOptions

  constructor(options: CatalogOptions) {
    this.#options = options
  }

  table(name: string, schema: string | undefined): TableSource | undefined {
    if (schema === 'information_schema') return informationSchema(name)
    if (!isPublic(schema)) return undefined
    const { range, preparations } = this.#options
    switch (name) {
      case 'log_entries':
        return viewSource(
          { shape: LOG_ENTRIES, filter: BY_TIME, viewSet: 'log_entries' },
          range,
          preparations,
        )
      case 'measures':
        return viewSource({ shape: MEASURES, filter: BY_TIME, viewSet: 'measures' }, range, preparations)
      case 'log_stats':
        return viewSource(
          { shape: LOG_STATS, filter: BY_BIN, viewSet: 'log_entries' },
          minuteRange(range),
          preparations,
        )
      case 'blocks':
        return viewSource({ shape: BLOCKS, filter: BY_BLOCK }, range, preparations)
      case 'processes':
        return viewSource({ shape: PROCESSES, filter: BY_PROCESS_LIFE }, range, preparations)
      case 'streams':
        return viewSource({ shape: STREAMS, filter: BY_STREAM_LIFE }, range, preparations)
      default:
        return undefined
    }
  }

  hint(name: string, schema: string | undefined): string {
    if (!isPublic(schema) || !INSTANCES.has(name)) return ''
    return `: ask for view_instance('${name}', ${name === 'thread_spans' ? 'stream_id' : 'process_id'})`
  }

  tableFunction(name: string, args: readonly Expr[], place: Place | undefined): TableSource | undefined {
    const { tables, range, preparations, isAdmin, admin } = this.#options
    switch (name) {
      case 'view_instance':
        return this.#viewInstance(args, place)
      case 'process_spans':
        return processSpans(args, place, tables, range, preparations)
      case 'perfetto_trace_chunks':
        return perfettoTraceChunks(args, place, tables, preparations)
      case 'parse_block':
        return parseBlock(args, place, tables, preparations)
      case 'list_partitions':
        return listPartitions()
      case 'list_view_sets':
        return listViewSets()
      default:
        return (
          TABLE_FUNCTIONS[name]?.(args, place) ??
          (isAdmin ? adminFunction(name, args, place, admin, preparations) : undefined)
        )
    }
  }

  #viewInstance(args: readonly Expr[], place: Place | undefined): TableSource {
    const viewSet = textArgument('view_instance', args, 0, 'the view set name', place)
    const instance = textArgument('view_instance', args, 1, 'the view instance id', place)
    if (!INSTANCES.has(viewSet)) throw planError(`error making view view set ${viewSet} not found`, place)
    if (instance === 'global' && (viewSet === 'log_entries' || viewSet === 'measures')) {
      return this.table(viewSet, undefined)!
    }
    const id = parseUuidText(instance)
    if (id === undefined) {
      throw planError(`error making view Uuid::parse_str\n\nCaused by:\n    invalid UUID: ${instance}`, place)
    }
    return this.#instanceOf(viewSet, id)
  }

  #instanceOf(viewSet: string, id: string): TableSource {
    const { tables, range, preparations } = this.#options
    const ofProcess = { processId: id, filter: BY_TIME }
    switch (viewSet) {
      case 'thread_spans': {
        if (!tables.registry.streams.has(id)) throw viewError(`find_stream: stream ${id} not found`)
        if (range === undefined) throw viewError('query range mandatory for thread spans view')
        const options = { shape: THREAD_SPANS, filter: BY_SPAN, viewSet, streamId: id } as const
        return viewSource(options, range, preparations)
      }
      case 'net_spans':
      case 'otel_spans':
        return emptySource(FIELDS[viewSet], ({ type }) => duckType(type))
      default:
        if (!tables.registry.processes.has(id)) throw viewError(`find_process: process ${id} not found`)
    }
    switch (viewSet) {
      case 'log_entries':
        return viewSource({ shape: LOG_ENTRIES, viewSet, ...ofProcess }, range, preparations)
      case 'measures':
        return viewSource({ shape: MEASURES, viewSet, ...ofProcess }, range, preparations)
      case 'async_events':
        return viewSource({ shape: ASYNC_EVENTS, viewSet, ...ofProcess }, range, preparations)
      default:
        return viewSource({ shape: IMAGES, viewSet: 'images', ...ofProcess }, range, preparations)
    }
  }
}

/** Whether a name stands by itself, or with the schema that all views are in. */
function isPublic(schema: string | undefined): boolean {
  return schema === undefined || schema === 'public'
}

const INSTANCES: ReadonlySet<string> = new Set([
  'log_entries',
  'measures',
  'thread_spans',
  'async_events',
  'images',
  'net_spans',
  'otel_spans',
])

/** A bin belongs to the range when its minute begins in it; the entries of that minute are needed whole. */
function minuteRange(range: TimeRange | undefined): TimeRange | undefined {
  return range === undefined ? undefined : { beginNs: range.beginNs, endNs: range.endNs }
}
