import { describe, expect, test } from 'vitest'
import { EMPTY_REPORT } from '../../src/model/delivery-report.ts'
import type { DeliveryReport, LogEntry, SealedBlock } from '../../src/model/event-sink.ts'
import { Level } from '../../src/model/level.ts'
import { Dispatch, dispatch } from '../../src/tracing/dispatch.ts'
import { recordImage } from '../../src/tracing/image.ts'
import { logger } from '../../src/tracing/logs/logger.ts'
import { recordLog } from '../../src/tracing/logs/record-log.ts'
import { fmetric, imetric } from '../../src/tracing/metric.ts'
import { asyncSpan, span } from '../../src/tracing/spans/span.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { BlockCollector, processOf } from './support/block-collector.ts'
import { startRecording } from './support/recording.ts'

const log = logger('test.dispatch')
const OPEN_FILTERS = { maxLevel: Level.Trace, targetMaxLevels: {}, interopMaxLevel: Level.Trace }

/** A sink that shows logs at once and takes no blocks. */
class LiveSink {
  readonly entries: LogEntry[] = []
  onEntry: (entry: LogEntry) => void = () => {}

  onStartup(): void {}

  onLog(entry: LogEntry): void {
    this.entries.push(entry)
    this.onEntry(entry)
  }

  async flush(): Promise<DeliveryReport> {
    return EMPTY_REPORT
  }

  async shutdown(): Promise<DeliveryReport> {
    return EMPTY_REPORT
  }

  get messages(): string[] {
    return this.entries.map(({ msg }) => msg)
  }
}

/** A sink whose first block can be waited for. */
class FirstBlock extends BlockCollector {
  #resolve: (block: SealedBlock) => void = () => {}
  readonly block = new Promise<SealedBlock>((resolve) => {
    this.#resolve = resolve
  })

  override onBlock(block: SealedBlock): void {
    super.onBlock(block)
    this.#resolve(block)
  }
}

describe('start and stop', () => {
  test('a hundred times over: every run has its own streams and all its events, none comes twice', async () => {
    const streamIds = new Set<string>()
    for (let run = 0; run < 100; run++) {
      const recording = startRecording()
      expect(dispatch.running).toBe(true)
      log.info`run ${run}`
      log.info('static')
      fmetric('m', 'x').record(run)
      span('s', () => {})
      recordImage('i', 'raw', Uint8Array.of(run))
      await recording.stop()
      expect(dispatch.running).toBe(false)
      expect(recording.messages()).toEqual([`run ${run}`, 'static'])
      expect(recording.measures().map(({ value }) => value)).toEqual([run])
      expect(recording.threadEvents()).toEqual(['+s', '-s'])
      expect(recording.images().length).toBe(1)
      for (const { stream } of recording.blocks()) streamIds.add(stream.streamId)
    }
    expect(streamIds.size).toBe(400)
  })

  test('events between two runs are counted and belong to neither', async () => {
    await startRecording().stop()
    const before = dispatch.stats
    log.info('lost')
    log.info`lost ${1}`
    log.with({ a: 1 }).error('lost')
    fmetric('m', 'x').record(1)
    imetric('m', 'x').record(1, { a: 1 })
    recordImage('i', 'raw', Uint8Array.of(1))
    span('s', () => {})
    await asyncSpan('s', () => {})
    const after = dispatch.stats
    expect(after.log.dropped - before.log.dropped).toBe(3)
    expect(after.metrics.dropped - before.metrics.dropped).toBe(2)
    expect(after.image.dropped - before.image.dropped).toBe(1)
    expect(after.cpu.dropped - before.cpu.dropped).toBe(4)
    await using recording = startRecording()
    expect(recording.blocks()).toEqual([])
  })

  test('a second stop gives the outcome of the sinks again and touches nothing', async () => {
    const recording = startRecording()
    log.info('once')
    await recording.stop()
    await recording.stop()
    dispatch.shutdownSync(100)
    expect(recording.messages()).toEqual(['once'])
  })

  test('the reports of several sinks are added up', async () => {
    const count = (blocks: number) => ({ blocks, events: blocks * 10 })
    const report = { ...EMPTY_REPORT, delivered: count(2), dropped: count(1) }
    const sink = Object.assign(new BlockCollector(), {
      flush: async () => report,
      shutdown: async () => report,
    })
    const recording = startRecording({
      sinks: [
        { sink, maxLevel: Level.Info },
        { sink, maxLevel: Level.Info },
      ],
    })
    const expected = { ...EMPTY_REPORT, delivered: count(4), dropped: count(2) }
    expect(await dispatch.flush()).toEqual(expected)
    expect(await dispatch.shutdown(100)).toEqual(expected)
    expect(recording.blocks()).toEqual([])
  })

  test('the cpu stream says which thread it is of, the others have no properties', async () => {
    await using recording = startRecording()
    log.info('l')
    span('s', () => {})
    expect(recording.blocks('cpu')[0]!.stream.properties).toEqual({ 'thread-id': '0', 'thread-name': 'main' })
    expect(recording.blocks('log')[0]!.stream.properties).toEqual({})
  })
})

describe('levels', () => {
  test('of options, target and interop decide what is recorded', async () => {
    await using recording = startRecording({
      filters: {
        maxLevel: Level.Info,
        targetMaxLevels: { db: Level.Trace, 'db.noisy': Level.Error },
        interopMaxLevel: Level.Warn,
      },
    })
    for (const target of ['app', 'db', 'db.pool', 'db.noisy']) {
      logger(target).error(`${target} error`)
      logger(target).info(`${target} info`)
      logger(target).trace(`${target} trace`)
    }
    recordLog(Level.Warn, 'db', 'interop warn')
    recordLog(Level.Info, 'db', 'interop info')
    recordLog(Level.Warn, 'db.noisy', 'interop noisy')
    expect(recording.messages()).toEqual([
      'app error',
      'app info',
      'db error',
      'db info',
      'db trace',
      'db.pool error',
      'db.pool info',
      'db.pool trace',
      'db.noisy error',
      'interop warn',
    ])
  })

  test('change with the next start, for loggers that are already there', async () => {
    const seen: number[] = []
    for (const maxLevel of [Level.Off, Level.Fatal, Level.Trace]) {
      await using recording = startRecording({ filters: { ...OPEN_FILTERS, maxLevel } })
      for (const method of ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const) log[method]('m')
      seen.push(recording.messages().length)
    }
    expect(seen).toEqual([0, 1, 6])
  })

  test('a block has what any sink that takes blocks asked for, and no more', async () => {
    const of = new BlockCollector()
    dispatch.start({
      process: processOf(dispatch.recordingSince),
      sinks: [{ sink: of, maxLevel: Level.Warn }],
      filters: OPEN_FILTERS,
      cpuTracing: false,
      flushPeriodMs: 3_600_000,
      onSinkError: () => expect.fail('a sink failed'),
    })
    log.warn('kept')
    log.info('left out')
    await dispatch.shutdown(100)
    expect(of.blocks.map(({ eventCount }) => eventCount)).toEqual([1])
  })
})

describe('a sink that shows logs at once', () => {
  test('gets its levels of every event, with properties, and so do the blocks', async () => {
    const live = new LiveSink()
    await using recording = startRecording({ sinks: [{ sink: live, maxLevel: Level.Info }] })
    const before = Date.now()
    for (let i = 0; i < 2; i++) {
      log.info('text')
      log.info`template ${i}`
      log.with({ user: 'bob' }).warn`bound ${i}`
      log.error('failed', { id: i })
      recordLog(Level.Info, 'interop', 'bridged', { a: 'b' })
      log.debug('not shown')
    }
    expect(live.messages).toEqual(recording.messages().filter((message) => message !== 'not shown'))
    expect(live.messages.length).toBe(10)
    expect(live.entries.slice(2, 5)).toMatchObject([
      { level: Level.Warn, target: 'test.dispatch', properties: { user: 'bob' } },
      { level: Level.Error, target: 'test.dispatch', properties: { id: '0' } },
      { level: Level.Info, target: 'interop', properties: { a: 'b' } },
    ])
    expect(live.entries[0]!.properties).toBeUndefined()
    for (const { timeMs } of live.entries) {
      expect(timeMs >= before && timeMs <= Date.now()).toBe(true)
    }
  })

  test('may log: that is recorded, and not shown again', async () => {
    const live = new LiveSink()
    live.onEntry = () => log.error('from the sink')
    await using recording = startRecording({ sinks: [{ sink: live, maxLevel: Level.Trace }] })
    log.info('one')
    log.info('two')
    expect(live.messages).toEqual(['one', 'two'])
    expect(recording.messages()).toEqual(['one', 'from the sink', 'two', 'from the sink'])
  })

  test('that throws is reported, and stops neither the host nor the other sinks', async () => {
    const errors: unknown[] = []
    const [bad, good] = [new LiveSink(), new LiveSink()]
    const failure = new Error('sink')
    bad.onEntry = () => {
      throw failure
    }
    await using recording = startRecording({
      sinks: [
        { sink: bad, maxLevel: Level.Info },
        { sink: good, maxLevel: Level.Info },
      ],
      onSinkError: (error) => errors.push(error),
    })
    log.info('one')
    log.info('two')
    expect(errors).toEqual([failure, failure])
    expect(good.messages).toEqual(['one', 'two'])
    expect(recording.messages()).toEqual(['one', 'two'])
  })

  test('alone makes the streams cost nothing: no block, no buffer, no count', async () => {
    const live = new LiveSink()
    const before = dispatch.stats
    dispatch.start({
      process: processOf(dispatch.recordingSince),
      sinks: [{ sink: live, maxLevel: Level.Debug }],
      filters: OPEN_FILTERS,
      cpuTracing: true,
      flushPeriodMs: 3_600_000,
      onSinkError: () => expect.fail('a sink failed'),
    })
    expect(dispatch.takesBlocks).toBe(false)
    log.info('shown')
    log.trace('not shown')
    fmetric('m', 'x').record(1)
    span('s', () => {})
    recordImage('i', 'raw', Uint8Array.of(1))
    expect(live.messages).toEqual(['shown'])
    for (const stream of [dispatch.log, dispatch.metrics, dispatch.cpu, dispatch.image]) {
      expect(stream.bytes.length).toBe(0)
    }
    expect(dispatch.stats).toEqual(before)
    await dispatch.shutdown(100)
  })
})

describe('a sink that takes blocks', () => {
  test('that throws is reported, and the others still get the block', async () => {
    const errors: unknown[] = []
    const bad = Object.assign(new BlockCollector(), {
      onStartup() {
        throw new Error('startup')
      },
      onBlock() {
        throw new Error('block')
      },
    })
    const last = new BlockCollector()
    await using recording = startRecording({
      sinks: [
        { sink: bad, maxLevel: Level.Info },
        { sink: last, maxLevel: Level.Info },
      ],
      onSinkError: (error) => errors.push((error as Error).message),
    })
    log.info('one')
    expect(recording.messages()).toEqual(['one'])
    expect(last.blocks).toEqual(recording.blocks())
    expect(errors).toEqual(['startup', 'block'])
  })

  test('may record while it is given one', async () => {
    let depth = 0
    const chatty = Object.assign(new BlockCollector(), {
      onBlock(block: SealedBlock) {
        if (depth++ > 0) return
        log.error`got a block of ${block.eventCount}`
        imetric('blocks', 'count').record(1)
        dispatch.seal()
      },
    })
    await using recording = startRecording({ sinks: [{ sink: chatty, maxLevel: Level.Info }] })
    log.info('one')
    expect(recording.messages().sort()).toEqual(['got a block of 1', 'one'])
    expect(recording.measures().length).toBe(1)
  })
})

describe('flushing', () => {
  test.each(['error', 'fatal'] as const)(
    'of an event of level %s happens within a second',
    async (method) => {
      const sink = new FirstBlock()
      const clock = new ManualClock()
      await using _ = startRecording({ sinks: [{ sink, maxLevel: Level.Trace }], clock })
      log[method]('urgent')
      await clock.settle(sink.block, 1_000)
    },
  )

  test('of an error that was recorded before the start happens within a second of it', async () => {
    const of = new Dispatch()
    const sink = new FirstBlock()
    of.log.writeInterop(Level.Error, 'early', 'failed', undefined)
    of.attend(Level.Error, 'early', 'failed', undefined)
    const clock = new ManualClock()
    await using _ = startRecording({ sinks: [{ sink, maxLevel: Level.Trace }], clock }, of)
    expect((await clock.settle(sink.block, 1_000)).eventCount).toBe(1)
  })

  test('happens every period, the first time after a random part of it', async () => {
    const sink = new BlockCollector()
    const ticks: number[] = []
    const clock = new ManualClock()
    clock.chance = 0.2
    await using recording = startRecording({
      sinks: [{ sink, maxLevel: Level.Trace }],
      flushPeriodMs: 100,
      clock,
      onFlushTick: () => {
        ticks.push(clock.now())
        log.info`tick ${ticks.length}`
      },
    })
    await clock.advance(319)
    expect(ticks).toEqual([20, 120, 220])
    expect(sink.blocks.length).toBe(3)
    expect(recording.messages()).toEqual(['tick 1', 'tick 2', 'tick 3'])
  })

  test('goes on after a tick that throws, and ends with the stop', async () => {
    const errors: unknown[] = []
    let ticks = 0
    const clock = new ManualClock()
    const recording = startRecording({
      flushPeriodMs: 10,
      clock,
      onFlushTick: () => {
        ticks++
        throw new Error('tick')
      },
      onSinkError: (error) => errors.push(error),
    })
    await clock.advance(20)
    expect(ticks).toBe(2)
    await recording.stop()
    await clock.advance(1_000)
    expect(ticks).toBe(2)
    expect(errors.length).toBe(2)
  })

  test('by hand seals every stream', async () => {
    const sink = new BlockCollector()
    await using _ = startRecording({ sinks: [{ sink, maxLevel: Level.Trace }] })
    log.info('l')
    fmetric('m', 'x').record(1)
    span('s', () => {})
    recordImage('i', 'raw', Uint8Array.of(1))
    expect(sink.blocks.length).toBe(0)
    await dispatch.flush()
    expect(sink.blocks.map(({ stream }) => stream.kind)).toEqual(['log', 'metrics', 'cpu', 'image'])
    await dispatch.flush()
    expect(sink.blocks.length).toBe(4)
  })
})
