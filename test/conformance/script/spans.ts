import { dispatch } from '../../../src/tracing/dispatch.ts'
import { asyncSpan, beginAsyncSpan, defineSpan, span, spanBound } from '../../../src/tracing/spans/span.ts'
import { spanFn } from '../../../src/tracing/spans/span-fn.ts'
import { type ExpectedRecord, UNICODE_NAME } from './expected.ts'

export async function recordSpans(expected: ExpectedRecord[]): Promise<void> {
  recordThreadSpans(expected)
  await recordAsyncSpans(expected)
  const late: ExpectedRecord[] = []
  await recordLateSpans(late)
  recordNamedSpans(expected)
  expected.push(...late) // they come in a stream of their own
}

/** Where the spans of this file are defined. */
export const SCRIPT_FILE = '/app/test/conformance/script/spans.ts'

function spanDesc(name: string, target = 'app'): ExpectedRecord {
  const place = { file: SCRIPT_FILE, line: 'a line' }
  return { type: 'SpanRecord', name, target, module_path: target, ...place, lod: 3 }
}

function recordThreadSpans(expected: ExpectedRecord[]): void {
  const begins = (name: string, target?: string) =>
    expected.push({ type: 'BeginThreadSpanEvent', thread_span_desc: spanDesc(name, target) })
  const ends = (name: string, target?: string) =>
    expected.push({ type: 'EndThreadSpanEvent', thread_span_desc: spanDesc(name, target) })

  const result = span('outer', () => {
    begins('outer')
    span('cut by a block', () => {
      begins('cut by a block')
      dispatch.seal()
      span(UNICODE_NAME, () => begins(UNICODE_NAME))
      ends(UNICODE_NAME)
      dispatch.seal()
    })
    ends('cut by a block')
    return 'result'
  })
  ends('outer')
  if (result !== 'result') throw new Error('a span changed the result of its function')

  const recursive = spanFn('recursive', (depth: number): void => {
    begins('recursive')
    if (depth > 0) {
      recursive(depth - 1)
      ends('recursive')
    }
    if (depth === 2) dispatch.seal()
  })
  recursive(5)
  ends('recursive')
  const definition = defineSpan('defined', { target: UNICODE_NAME })
  for (let i = 0; i < 3; i++) {
    definition.begin()
    begins('defined', UNICODE_NAME)
    definition.end()
    ends('defined', UNICODE_NAME)
  }
  span('tagged', { properties: { width: 800 } }, (tagged) => {
    begins('tagged')
    tagged.set({ height: '600' })
  })
  const properties = [
    ['width', '800'],
    ['height', '600'],
  ]
  expected.push({ type: 'TaggedEndThreadSpanEvent', thread_span_desc: spanDesc('tagged'), properties })
  for (const name of ['', 'n'.repeat(255)]) {
    span(name, () => begins(name))
    ends(name)
  }
  dispatch.seal()
}

/** Past the bound of remembered names a span's events carry the name themselves. */
function recordNamedSpans(expected: ExpectedRecord[]): void {
  const location = (target: string): ExpectedRecord => ({
    type: 'SpanLocationRecord',
    target,
    module_path: target,
    file: '',
    line: 0,
    lod: 3,
  })
  for (let i = 0; spanBound.overflows === 0; i++) defineSpan(`unused ${i}`)
  for (const name of ['named 1', UNICODE_NAME.repeat(2), 'named 1']) {
    const thread_span_location = location('app')
    span(name, () => {
      expected.push({ type: 'BeginThreadNamedSpanEvent', thread_span_location, name })
      dispatch.seal()
    })
    expected.push({ type: 'EndThreadNamedSpanEvent', thread_span_location, name })
  }
  const definition = defineSpan('named 2', { target: 'elsewhere' })
  definition.begin()
  definition.end()
  const thread_span_location = location('elsewhere')
  expected.push({ type: 'BeginThreadNamedSpanEvent', thread_span_location, name: 'named 2' })
  expected.push({ type: 'EndThreadNamedSpanEvent', thread_span_location, name: 'named 2' })

  const open = beginAsyncSpan('named async')
  const id = lastSpanId()
  const { begins, ends } = asyncEvents(expected, 'Named', {
    span_location: location('app'),
    name: 'named async',
  })
  begins(id, 0, 0)
  dispatch.seal()
  open.end()
  ends(id, 0, 0)
  dispatch.seal()
}

/** The id of the async span begun last. */
function lastSpanId(): number {
  return dispatch.nextSpanId() - 1
}

type AsyncEvent = (spanId: number, parentId: number, depth: number) => void

function asyncEvents(
  expected: ExpectedRecord[],
  kind: '' | 'Named',
  place: object,
): { begins: AsyncEvent; ends: AsyncEvent } {
  const push =
    (edge: 'Begin' | 'End'): AsyncEvent =>
    (spanId, parentId, depth) =>
      expected.push({
        type: `${edge}Async${kind}SpanEvent`,
        ...place,
        span_id: BigInt(spanId),
        parent_span_id: BigInt(parentId),
        depth,
      })
  return { begins: push('Begin'), ends: push('End') }
}

async function recordAsyncSpans(expected: ExpectedRecord[]): Promise<void> {
  const events = (name: string) => asyncEvents(expected, '', { span_desc: spanDesc(name, 'conformance') })
  const [request, query, task] = [events('request'), events('query'), events('task')]
  const requestSpan = defineSpan('request', { target: 'conformance' })
  const querySpan = defineSpan('query', { target: 'conformance' })
  const taskSpan = defineSpan('task', { target: 'conformance' })

  let root = 0
  await asyncSpan(requestSpan, async () => {
    root = lastSpanId()
    request.begins(root, 0, 0)
    let child = 0
    await asyncSpan(querySpan, async () => {
      child = lastSpanId()
      query.begins(child, root, 1)
      await nextTurn()
      dispatch.seal()
      let grandchild = 0
      await asyncSpan(taskSpan, async () => {
        grandchild = lastSpanId()
        task.begins(grandchild, child, 2)
      })
      task.ends(grandchild, child, 2)
    })
    query.ends(child, root, 1)

    // Two at once, ended in the other order, in other blocks.
    let endFirst = (): void => {}
    const first = asyncSpan(querySpan, () => new Promise<void>((resolve) => (endFirst = resolve)))
    const firstId = lastSpanId()
    query.begins(firstId, root, 1)
    const second = asyncSpan(taskSpan, nextTurn)
    const secondId = lastSpanId()
    task.begins(secondId, root, 1)
    await second
    task.ends(secondId, root, 1)
    dispatch.seal()
    endFirst()
    await first
    query.ends(firstId, root, 1)

    const failing = asyncSpan(taskSpan, () => Promise.reject(new Error('expected')))
    const failingId = lastSpanId()
    task.begins(failingId, root, 1)
    await failing.catch(() => {})
    expected.push({
      type: 'TaggedEndAsyncSpanEvent',
      span_desc: spanDesc('task', 'conformance'),
      properties: [
        ['error.type', 'Error'],
        ['exception.message', 'expected'],
      ],
      span_id: BigInt(failingId),
      parent_span_id: BigInt(root),
      depth: 1,
    })
  })
  request.ends(root, 0, 0)

  const parent = beginAsyncSpan(requestSpan)
  const parentId = lastSpanId()
  request.begins(parentId, 0, 0)
  const child = parent.run(() => beginAsyncSpan(querySpan))
  const childId = lastSpanId()
  query.begins(childId, parentId, 1)
  parent.end()
  request.ends(parentId, 0, 0)
  dispatch.seal()
  child.end()
  query.ends(childId, parentId, 1)
  dispatch.seal()
}

/** They are written when they end, sorted by time: the inner one first ends, the outer one first begins. */
async function recordLateSpans(expected: ExpectedRecord[]): Promise<void> {
  let [outerId, innerId] = [0, 0]
  await asyncSpan('GET', { target: 'conformance', properties: { path: '/orders/7' } }, async (outer) => {
    outerId = lastSpanId()
    outer.rename(UNICODE_NAME, 'renamed').set({ status: 200 })
    await asyncSpan('late', { late: true }, async () => {
      innerId = lastSpanId()
      await nextTurn()
    })
  })
  dispatch.seal()
  const outer = { span_id: BigInt(outerId), parent_span_id: 0n, depth: 0 }
  const inner = { span_id: BigInt(innerId), parent_span_id: BigInt(outerId), depth: 1 }
  const properties = [
    ['path', '/orders/7'],
    ['status', '200'],
  ]
  expected.push({ type: 'BeginAsyncSpanEvent', span_desc: spanDesc(UNICODE_NAME, 'renamed'), ...outer })
  expected.push({ type: 'BeginAsyncSpanEvent', span_desc: spanDesc('late'), ...inner })
  expected.push({ type: 'EndAsyncSpanEvent', span_desc: spanDesc('late'), ...inner })
  expected.push({
    type: 'TaggedEndAsyncSpanEvent',
    span_desc: spanDesc(UNICODE_NAME, 'renamed'),
    properties,
    ...outer,
  })
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
