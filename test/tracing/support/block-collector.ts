import { EMPTY_REPORT } from '../../../src/model/delivery-report.ts'
import type { DeliveryReport, EventSink, SealedBlock } from '../../../src/model/event-sink.ts'
import type { ProcessInfo } from '../../../src/model/process-info.ts'

/** Wall clock at the start ticks of {@link processOf}. */
export const START_MICROS = 1_704_067_200_000_000n

export function processOf(startTicks: bigint): ProcessInfo {
  return {
    processId: '00000000-0000-4000-8000-000000000001',
    exe: '/app/main.js',
    username: 'u',
    realname: 'U',
    computer: 'host',
    distro: 'os',
    cpuBrand: 'cpu',
    tscFrequency: 1_000_000_000n,
    startTimeMicros: START_MICROS,
    startTicks,
    parentProcessId: undefined,
    properties: {},
  }
}

/** A sink that keeps the blocks it is given. */
export class BlockCollector implements EventSink {
  readonly blocks: SealedBlock[] = []

  onStartup(): void {}

  onBlock(block: SealedBlock): void {
    this.blocks.push(block)
  }

  async flush(): Promise<DeliveryReport> {
    return EMPTY_REPORT
  }

  async shutdown(): Promise<DeliveryReport> {
    return EMPTY_REPORT
  }
}
