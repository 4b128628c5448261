import { describe, expect, test } from 'vitest'
import { pairAsyncSpans } from '../../src/telemetry/decode/async-spans.ts'
import { dispatch } from '../../src/tracing/dispatch.ts'
import { currentSpan } from '../../src/tracing/spans/open-span.ts'
import { asyncSpan, beginAsyncSpan, span } from '../../src/tracing/spans/span.ts'
import { propertySet } from '../../src/tracing/values/property-set.ts'
import { type Recording, startRecording } from './support/recording.ts'

function spansOf(recording: Recording) {
  return pairAsyncSpans(recording.asyncEvents()).spans.map(({ name, target, properties, depth }) => ({
    name,
    target,
    depth,
    properties,
  }))
}

describe('an async span', () => {
  test('carries the properties it is given and those that are set while it runs', async () => {
    await using recording = startRecording()
    const properties = propertySet({ region: 'eu' })
    await asyncSpan('named', { properties, target: 'shop' }, async () => {
      currentSpan()?.set({ rows: 3, at: new Date(0) })
    })
    await asyncSpan('as given', { properties }, async () => {})
    await asyncSpan('plain', async () => {})
    expect(spansOf(recording)).toEqual([
      {
        name: 'named',
        target: 'shop',
        depth: 0,
        properties: { region: 'eu', rows: '3', at: '1970-01-01T00:00:00.000Z' },
      },
      { name: 'as given', target: 'app', depth: 0, properties: { region: 'eu' } },
      { name: 'plain', target: 'app', depth: 0, properties: {} },
    ])
  })

  test('is written under the name it has when it ends, if its function takes it', async () => {
    await using recording = startRecording()
    await asyncSpan('GET', async (outer) => {
      await asyncSpan('query', async () => {})
      outer.rename('GET /users/:id', 'http').set({ status: 200 })
      expect([outer.name, outer.id, outer.traceId]).toEqual([
        'GET /users/:id',
        expect.stringMatching(/^\d+$/),
        expect.stringMatching(/^[0-9a-f]{32}$/),
      ])
      expect(recording.asyncEvents().map(({ name }) => name)).toEqual(['query', 'query'])
    })
    expect(spansOf(recording)).toEqual([
      { name: 'GET /users/:id', target: 'http', depth: 0, properties: { status: '200' } },
      { name: 'query', target: 'app', depth: 1, properties: {} },
    ])
  })

  test('that rejects says with which error, and rejects with it', async () => {
    await using recording = startRecording()
    const error = new TypeError('no card')
    await expect(asyncSpan('pay', () => Promise.reject(error))).rejects.toBe(error)
    await expect(asyncSpan('odd', () => Promise.reject('text'))).rejects.toBe('text')
    expect(spansOf(recording).map(({ properties }) => properties)).toEqual([
      { 'error.type': 'TypeError', 'exception.message': 'no card' },
      { 'error.type': 'string', 'exception.message': 'text' },
    ])
  })

  test('by hand takes properties, another name and a failure until its end', async () => {
    await using recording = startRecording()
    const request = beginAsyncSpan('GET', { late: true, properties: { a: 1 } })
    request.span.rename('GET /').fail(new Error('gone'))
    request.run(() => expect(currentSpan()?.name).toBe('GET /'))
    request.end()
    request.span.set({ late: 1 }).rename('other')
    request.end()
    expect(spansOf(recording)).toEqual([
      {
        name: 'GET /',
        target: 'app',
        depth: 0,
        properties: { a: '1', 'error.type': 'Error', 'exception.message': 'gone' },
      },
    ])
  })

  test('has the error in the place of a property that cannot be read, as a log has', async () => {
    await using recording = startRecording()
    const hostile = {
      get bad(): string {
        throw new Error('no')
      },
    }
    await asyncSpan('hostile', { properties: hostile }, async () => {})
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`p${i}`, i]))
    await asyncSpan('many', { properties: many }, async (it) => void it.set({ one: 'more', p0: 'new' }))
    const [first, second] = spansOf(recording)
    expect(first!.properties).toEqual({ bad: expect.stringMatching(/^Error: no/) })
    expect(Object.keys(second!.properties)).toHaveLength(128)
    expect(second!.properties.p0).toBe('new')
  })

  test('that is open when recording stops is written, and says so', async () => {
    const recording = startRecording()
    const open = beginAsyncSpan('open', { late: true })
    await recording.stop()
    open.end()
    expect(spansOf(recording)).toEqual([
      { name: 'open', target: 'app', depth: 0, properties: { 'span.unfinished': 'true' } },
    ])
    expect(dispatch.lateEvents).toBe(0)
  })

  test('has no properties, and its own name, for a server that does not read them', async () => {
    await using recording = startRecording({ spanProperties: false })
    await asyncSpan('GET', { properties: { a: 1 } }, async (it) => void it.rename('GET /').fail(new Error()))
    expect(() => span('thrown', () => JSON.parse('{'))).toThrow()
    expect(spansOf(recording)).toEqual([{ name: 'GET /', target: 'app', depth: 0, properties: {} }])
    expect(recording.events('cpu').some(({ typeName }) => typeName.startsWith('Tagged'))).toBe(false)
  })

  test('runs its function while spans are off', async () => {
    await using _ = startRecording({ cpuTracing: false })
    expect(await asyncSpan('off', async (it) => it.set({ a: 1 }).rename('b').fail('c').name)).toBe('')
    expect(span('off', (it) => it.set({ a: 1 }).fail('x') !== undefined)).toBe(true)
    expect(currentSpan()).toBeUndefined()
  })
})

test('late spans are in order of time within each block, whatever order they end in', async () => {
  await using recording = startRecording()
  const open = Array.from({ length: 5000 }, (_, i) => beginAsyncSpan(`s${i % 7}`, { late: true }))
  for (let i = 0; i < open.length; i++) open[(i * 1777) % open.length]!.end()
  expect(spansOf(recording)).toHaveLength(5000)
  for (const block of recording.blocks('cpu')) expect(block.eventCount).toBeLessThanOrEqual(2049)
})

test('a thread span carries properties, and the error it ends with', async () => {
  await using recording = startRecording()
  expect(span('resize', { properties: { width: 800 } }, () => 1)).toBe(1)
  span('set', (it) => void it.set({ height: 600 }))
  const error = new RangeError('too large')
  expect(() =>
    span('thrown', () => {
      throw error
    }),
  ).toThrow(error)
  expect(recording.threadSpans().map(({ name, properties }) => [name, properties])).toEqual([
    ['resize', { width: '800' }],
    ['set', { height: '600' }],
    ['thrown', { 'error.type': 'RangeError', 'exception.message': 'too large' }],
  ])
})
