import { dispatch } from '../../../src/tracing/dispatch.ts'
import { fmetric, imetric } from '../../../src/tracing/metric.ts'
import { propertySet } from '../../../src/tracing/values/property-set.ts'
import { type ExpectedRecord, UNICODE, UNICODE_NAME } from './expected.ts'

export function recordMetrics(expected: ExpectedRecord[]): void {
  recordIntegers(expected)
  recordFloats(expected)
  recordTaggedMetrics(expected)
}

function metricDesc(name: string, unit: string, target = 'app'): ExpectedRecord {
  return { type: 'MetricMetadataDependency', name, unit, target, file: '', line: 0, lod: 3 }
}

function recordIntegers(expected: ExpectedRecord[]): void {
  const count = imetric('integer', 'count')
  const desc = metricDesc('integer', 'count')
  const set = propertySet({ kind: 'integer' })
  for (const value of [0, 1, 255, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    count.record(value)
    expected.push({ type: 'IntegerMetricEvent', desc, value: BigInt(value) })
    count.record(value, set)
    const properties = [['kind', 'integer']]
    expected.push({ type: 'TaggedIntegerMetricEvent', desc, properties, value: BigInt(value) })
  }
  for (const value of [0n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    count.record(value)
    expected.push({ type: 'IntegerMetricEvent', desc, value })
    count.record(value, set)
    expected.push({ type: 'TaggedIntegerMetricEvent', desc, properties: [['kind', 'integer']], value })
  }
  // What the wire's unsigned integers cannot hold, and what servers would take for ticks, goes as a float.
  for (const value of [-1, -(2 ** 53), 0.5, 2 ** 64, -1n, 2n ** 64n]) {
    count.record(value)
    expected.push({ type: 'FloatMetricEvent', desc, value: Number(value) })
  }
  imetric('wait', 'ticks').record(12)
  expected.push({ type: 'FloatMetricEvent', desc: metricDesc('wait', 'ticks'), value: 12 })
  dispatch.seal()
}

function recordFloats(expected: ExpectedRecord[]): void {
  const latency = fmetric('float', 'ms')
  const desc = metricDesc('float', 'ms')
  const set = propertySet({ kind: 'float' })
  const smallest = Number.MIN_VALUE
  const largestSubnormal = 2 ** -1022 - smallest
  for (const value of [
    0,
    -0,
    1.5,
    -1,
    smallest,
    -smallest,
    largestSubnormal,
    2 ** -1022,
    Number.EPSILON,
    Math.PI,
    2 ** 53 + 2,
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
  ]) {
    latency.record(value)
    expected.push({ type: 'FloatMetricEvent', desc, value })
    latency.record(value, set)
    expected.push({ type: 'TaggedFloatMetricEvent', desc, properties: [['kind', 'float']], value })
  }
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) latency.record(value)
  for (const name of ['', UNICODE_NAME, 'n'.repeat(255)]) {
    fmetric(name, name, { target: name }).record(2.25)
    expected.push({ type: 'FloatMetricEvent', desc: metricDesc(name, name, name), value: 2.25 })
  }
  dispatch.seal()
}

function recordTaggedMetrics(expected: ExpectedRecord[]): void {
  const desc = metricDesc('tagged', 'count', 'conformance')
  const metric = imetric('tagged', 'count', { target: 'conformance' })
  for (let i = 0; i < 4; i++) {
    metric.record(i, { shard: i % 2, [UNICODE_NAME]: UNICODE })
    const properties = [
      ['shard', String(i % 2)],
      [UNICODE_NAME, UNICODE],
    ]
    expected.push({ type: 'TaggedIntegerMetricEvent', desc, properties, value: BigInt(i) })
    if (i === 1) dispatch.seal()
  }
  metric.record(1, {})
  expected.push({ type: 'TaggedIntegerMetricEvent', desc, properties: [], value: 1n })
  // These names would replace the columns of the metric.
  metric.record(2, { name: 'n', unit: 'u', target: 't', level: 'l' })
  const renamed = [
    ['_name', 'n'],
    ['_unit', 'u'],
    ['_target', 't'],
    ['level', 'l'],
  ]
  expected.push({ type: 'TaggedIntegerMetricEvent', desc, properties: renamed, value: 2n })
  dispatch.seal()
}
