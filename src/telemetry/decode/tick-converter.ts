import { formatError } from '../../transit/format-error.ts'

const NANOS_PER_SECOND = 1e9
const MAX_EXACT = 2n ** 53n
const I64_MAX = 2n ** 63n - 1n
const I64_MIN = -(2n ** 63n)

/** The clock of a process, as its description gives it. */
export interface ProcessClock {
  /** Ticks per second; 0 or less when the producer did not know. */
  readonly tscFrequency: bigint
  /** Absolute ticks at {@link startTimeMicros}. */
  readonly startTicks: bigint
  /** Microseconds since the Unix epoch. */
  readonly startTimeMicros: bigint
}

/** The end of a block, from which a missing tick frequency is derived. */
export interface BlockEnd {
  /** Relative to the process's start. */
  readonly endTicks: bigint
  /** Microseconds since the Unix epoch. */
  readonly endTimeMicros: bigint
}

/**
 * Turns ticks into wall-clock time exactly as the reference's analytics does, 64-bit float rounding included: differences
 * of more than 2^53 ticks (104 days of nanoseconds) lose their last digits there and here.
 */
export class TickConverter {
  readonly #startTicks: bigint
  readonly #startNs: bigint
  /** Nanoseconds per tick. */
  readonly #nsPerTick: number
  readonly #msPerTick: number

  /**
   * @param process - The process the ticks belong to.
   * @param end - Used when the process has no tick frequency: a block's own end, or the latest one known.
   * @throws TelemetryError `ERR_TELEMETRY_FORMAT` when there is no positive frequency to convert with.
   */
  constructor(process: ProcessClock, end?: BlockEnd) {
    const frequency = Number(process.tscFrequency > 0n ? process.tscFrequency : deriveFrequency(process, end))
    this.#startTicks = process.startTicks
    const startNs = process.startTimeMicros * 1000n
    this.#startNs = startNs >= I64_MIN && startNs <= I64_MAX ? startNs : 0n
    this.#nsPerTick = NANOS_PER_SECOND / frequency
    this.#msPerTick = 1000 / frequency
  }

  /** Absolute ticks, such as an event's time, in nanoseconds since the Unix epoch. */
  toNanoseconds(ticks: bigint): bigint {
    return this.relativeToNanoseconds(BigInt.asIntN(64, ticks - this.#startTicks))
  }

  /** Ticks since the start of the process, such as a block's edges, in nanoseconds since the Unix epoch. */
  relativeToNanoseconds(ticks: bigint): bigint {
    if (this.#nsPerTick === 1 && ticks <= MAX_EXACT && ticks >= -MAX_EXACT) {
      return BigInt.asIntN(64, this.#startNs + ticks)
    }
    const nanoseconds = roundToI64(Number(ticks) * this.#nsPerTick)
    return BigInt.asIntN(64, this.#startNs + nanoseconds)
  }

  /** A duration in ticks, in seconds. */
  durationToSeconds(ticks: bigint): number {
    return (Number(ticks) * this.#msPerTick) / 1000
  }
}

function deriveFrequency(process: ProcessClock, end: BlockEnd | undefined): bigint {
  if (end !== undefined) {
    const seconds = Number((end.endTimeMicros - process.startTimeMicros) * 1000n) / NANOS_PER_SECOND
    const frequency = roundToI64(Number(end.endTicks) / seconds)
    if (frequency > 0n) return frequency
  }
  throw formatError('times', `a tick frequency of ${process.tscFrequency} gives none and none can be derived`)
}

/** Rounds half away from zero and clamps to the range of i64; NaN gives 0. */
function roundToI64(value: number): bigint {
  const rounded = Math.sign(value) * Math.round(Math.abs(value))
  if (Number.isNaN(rounded)) return 0n
  if (rounded >= 2 ** 63) return I64_MAX
  if (rounded <= -(2 ** 63)) return I64_MIN
  return BigInt(rounded)
}
