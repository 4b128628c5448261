import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileProgram } from './support/compile-program.ts'

/** The copies, and what reads back what they have recorded together: `shown()` gives a line an event. */
const PRELUDE = `
import { createRequire } from 'node:module'
import * as esm from './package-copy.mjs'
const cjs = createRequire(import.meta.url)('./package-copy.cjs')
const collector = new esm.BlockCollector()
function start(dispatch) {
  dispatch.start({
    process: esm.processOf(dispatch.recordingSince),
    sinks: [{ sink: collector, maxLevel: 6 }],
    filters: { maxLevel: 6, targetMaxLevels: {}, interopMaxLevel: 6 },
    cpuTracing: true,
    flushPeriodMs: 3600000,
    onSinkError: (error) => { throw error },
  })
}
function shown() {
  return collector.blocks.flatMap((block) => {
    const parser = new esm.BlockParser(block.stream, esm.EVENT_READERS)
    return [...parser.parse(block.dependencies, block.objects)].map((event) => {
      const desc = event.get('desc') ?? event.get('thread_span_desc') ?? event.get('span_desc')
      const text = event.get('msg') ?? desc.get('fmt_str') ?? desc.get('name')
      const properties = event.get('properties')
      const depth = event.get('depth')
      return [event.typeName, text, ...(properties ?? []), ...(depth === undefined ? [] : [depth])].join(' ')
    })
  })
}
`

describe('two copies of the package in one process, as ESM and as CommonJS', () => {
  let directory = ''

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'copies-'))
    const entry = fileURLToPath(new URL('./support/package-copy.ts', import.meta.url))
    await compileProgram(entry, { outDir: directory, formats: ['esm', 'cjs'] })
  })

  afterAll(() => rm(directory, { recursive: true, force: true }))

  async function run(program: string): Promise<unknown> {
    const path = join(directory, 'program.mjs')
    await writeFile(path, PRELUDE + program)
    const { stdout } = await promisify(execFile)(process.execPath, [path])
    return JSON.parse(stdout)
  }

  test('share one dispatch: what either records, before the start or after it, is delivered once', async () => {
    const lines = await run(`
      cjs.logger('a').info('early, from cjs')
      esm.logger('a').info('early, from esm')
      start(cjs.dispatch)
      esm.logger('a').info\`value \${1}\`
      cjs.logger('a').info\`value \${2}\`
      cjs.fmetric('m', 'x').record(1)
      esm.fmetric('m', 'x').record(2)
      await esm.dispatch.shutdown(100)
      console.log(JSON.stringify({ one: esm.dispatch === cjs.dispatch, lines: shown() }))
    `)
    expect(lines).toEqual({
      one: true,
      lines: [
        'LogStaticStrEvent early, from cjs',
        'LogStaticStrEvent early, from esm',
        'LogStringEventV2 value 1',
        'LogStringEventV2 value 2',
        'FloatMetricEvent m',
        'FloatMetricEvent m',
      ],
    })
  })

  test('nest each other’s spans, and take each other’s property sets and definitions', async () => {
    const lines = await run(`
      start(esm.dispatch)
      const eu = cjs.propertySet({ region: 'eu' })
      esm.logger('a').info('tagged', eu)
      esm.logger('a').with(eu).info('bound')
      esm.fmetric('m', 'x').record(1, eu)
      await esm.asyncSpan('outer', () => cjs.asyncSpan(esm.defineSpan('inner'), () => {}))
      esm.span(cjs.defineSpan('sync'), () => cjs.span(esm.defineSpan('sync inner'), () => {}))
      await cjs.dispatch.shutdown(100)
      console.log(JSON.stringify(shown()))
    `)
    expect(lines).toEqual([
      'TaggedLogString tagged region,eu',
      'TaggedLogString bound region,eu',
      'TaggedFloatMetricEvent m region,eu',
      'BeginAsyncSpanEvent outer 0',
      'BeginAsyncSpanEvent inner 1',
      'EndAsyncSpanEvent inner 1',
      'EndAsyncSpanEvent outer 0',
      'BeginThreadSpanEvent sync',
      'BeginThreadSpanEvent sync inner',
      'EndThreadSpanEvent sync inner',
      'EndThreadSpanEvent sync',
    ])
  })

  test('keep apart when the dispatch that is there is of an incompatible version', async () => {
    const path = join(directory, 'incompatible.mjs')
    await writeFile(
      path,
      `
      const foreign = { abi: -1 }
      globalThis[Symbol.for('micromegas.dispatch')] = foreign
      const { dispatch, logger } = await import('./package-copy.mjs')
      logger('a').info('recorded')
      const kept = globalThis[Symbol.for('micromegas.dispatch')] === foreign
      console.log(JSON.stringify({ kept, recorded: dispatch.stats.log.recorded }))
    `,
    )
    const { stdout } = await promisify(execFile)(process.execPath, [path])
    expect(JSON.parse(stdout)).toEqual({ kept: true, recorded: 1 })
  })

  test('in a worker thread record by themselves, under span ids of their own', async () => {
    const result = await run(`
      import { Worker, isMainThread, threadId, parentPort } from 'node:worker_threads'
      start(esm.dispatch)
      const ids = []
      for (let i = 0; i < 2; i++) ids.push(esm.dispatch.nextSpanId())
      cjs.span('work', () => {})
      await esm.dispatch.shutdown(100)
      const { properties } = collector.blocks[0].stream
      if (isMainThread) {
        const worker = new Worker(new URL(import.meta.url))
        const [theirs] = await once(worker, 'message')
        console.log(JSON.stringify({ main: { ids, properties }, worker: theirs }))
      } else {
        parentPort.postMessage({ ids, properties })
      }
      import { once } from 'node:events'
    `)
    expect(result).toEqual({
      main: { ids: [1, 2], properties: { 'thread-id': '0', 'thread-name': 'main' } },
      worker: { ids: [2 ** 52 + 1, 2 ** 52 + 2], properties: { 'thread-id': '1', 'thread-name': 'worker' } },
    })
  })
})
