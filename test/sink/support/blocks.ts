import { randomUUID } from 'node:crypto'
import type { SealedBlock, StreamInfo, StreamKind } from '../../../src/model/event-sink.ts'
import type { ProcessInfo } from '../../../src/model/process-info.ts'
import { dynamicType, fixedType } from '../../../src/transit/reflection.ts'

export function testProcess(over: Partial<ProcessInfo> = {}): ProcessInfo {
  return {
    processId: randomUUID(),
    exe: 'sink-test',
    username: 'user',
    realname: 'User',
    computer: 'host',
    distro: 'linux',
    cpuBrand: 'cpu',
    tscFrequency: 1_000_000_000n,
    startTimeMicros: 1_700_000_000_000_000n,
    startTicks: 5_000_000_000n,
    parentProcessId: undefined,
    properties: {},
    ...over,
  }
}

export function testStream(process: ProcessInfo, kind: StreamKind = 'log'): StreamInfo {
  return {
    streamId: randomUUID(),
    processId: process.processId,
    kind,
    dependenciesMetadata: [dynamicType('StaticStringDependency')],
    objectsMetadata: [fixedType('TestEvent', { time: 'i64' })],
    properties: {},
  }
}

/** A block of `eventCount` events of 9 bytes, or of as many bytes as asked for. */
export function testBlock(
  stream: StreamInfo,
  eventCount: number = 1,
  bytes: number = eventCount * 9,
): SealedBlock {
  return {
    blockId: randomUUID(),
    stream,
    beginTicks: 5_000_000_000n,
    endTicks: 5_000_001_000n,
    dependencies: new Uint8Array(0),
    objects: new Uint8Array(bytes),
    eventCount,
    objectOffset: 0,
  }
}
