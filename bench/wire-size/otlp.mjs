/**
 * Encodes the traffic as OTLP protobuf requests, each compressed with gzip as OpenTelemetry's exporters do: `otlp.mjs data
 * requests batch`. Every event is kept as it is: metric values are data points of gauges, not sums over an interval.
 */
import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import {
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer'
import { DATA, isWhole, METRICS, SPANS, traffic } from './traffic.mjs'

const [data, requests, batch] = process.argv.slice(2)
/** A moment of no importance: time stamps of the traffic count from it. */
const START_SECONDS = 1_795_000_000
/** `DataPointType.GAUGE` and `AggregationTemporality.CUMULATIVE` of OpenTelemetry's metrics SDK. */
const GAUGE = 2
const CUMULATIVE = 1
const SEVERITIES = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 }
/** `ValueType` and `SpanKind.INTERNAL` of OpenTelemetry's API. */
const INTEGER = 0
const DOUBLE = 1
const INTERNAL = 0

const resource = {
  attributes: {
    'service.name': 'shop',
    'host.name': 'shop-7d4f9',
    'process.pid': 4711,
    'process.runtime.name': 'nodejs',
    'telemetry.sdk.name': 'opentelemetry',
  },
}
const scopes = new Map()

const encode = { logs: encodeLogs, metrics: encodeMetrics, spans: encodeSpans }[data]
let events = 0
let bytes = 0
let uncompressedBytes = 0
let held = []
const open = []
for (const moment of traffic(Number(requests))) {
  if (!DATA[data].includes(moment.kind)) continue
  if (moment.kind === 'begin') beginSpan(moment)
  if (!isWhole(moment)) continue
  held.push(moment.kind === 'end' ? endSpan(moment) : moment)
  events++
  if (events % Number(batch) === 0) send()
}
if (held.length > 0) send()
process.send({ events, bytes, uncompressedBytes })

function send() {
  const request = encode(held)
  uncompressedBytes += request.byteLength
  bytes += gzipSync(request).byteLength
  held = []
}

function encodeLogs(logs) {
  return ProtobufLogsSerializer.serializeRequest(
    logs.map(({ at, level, target, site, request }) => ({
      hrTime: toTime(at),
      hrTimeObserved: toTime(at),
      severityNumber: SEVERITIES[level],
      severityText: level.toUpperCase(),
      body: site(String.raw, request),
      resource,
      instrumentationScope: scopeOf(target),
      attributes: {},
      droppedAttributesCount: 0,
    })),
  )
}

function encodeMetrics(values) {
  const metrics = [...groupByMetric(values)].map(([key, points]) => ({
    descriptor: {
      name: METRICS[key].name,
      description: '',
      unit: METRICS[key].unit,
      valueType: METRICS[key].integer ? INTEGER : DOUBLE,
    },
    dataPointType: GAUGE,
    aggregationTemporality: CUMULATIVE,
    dataPoints: points.map(({ at, value, route }) => ({
      startTime: toTime(0),
      endTime: toTime(at),
      attributes: { 'http.route': route },
      value,
    })),
  }))
  return ProtobufMetricsSerializer.serializeRequest({
    resource,
    scopeMetrics: [{ scope: scopeOf('shop.http'), metrics }],
  })
}

function encodeSpans(spans) {
  return ProtobufTraceSerializer.serializeRequest(spans)
}

function beginSpan({ at }) {
  const parent = open.at(-1)
  open.push({
    begin: at,
    traceId: parent?.traceId ?? randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    parent,
  })
}

function endSpan({ at, span }) {
  const { begin, traceId, spanId, parent } = open.pop()
  const context = (id) => ({ traceId, spanId: id, traceFlags: 1 })
  return {
    name: SPANS[span].name,
    kind: INTERNAL,
    spanContext: () => context(spanId),
    parentSpanContext: parent === undefined ? undefined : context(parent.spanId),
    startTime: toTime(begin),
    endTime: toTime(at),
    duration: toTime(at - begin),
    status: { code: 0 },
    attributes: {},
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: scopeOf(SPANS[span].target),
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

function groupByMetric(values) {
  const groups = new Map(Object.keys(METRICS).map((key) => [key, []]))
  for (const value of values) groups.get(value.metric).push(value)
  return groups
}

/** One object per scope: the serializer groups by identity. */
function scopeOf(name) {
  if (!scopes.has(name)) scopes.set(name, { name, version: '' })
  return scopes.get(name)
}

function toTime(nanoseconds) {
  return [START_SECONDS + Math.floor(nanoseconds / 1e9), nanoseconds % 1e9]
}
