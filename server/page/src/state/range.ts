import { computed } from '@preact/signals'
import type { TimeRange } from '../data/query.ts'
import { nsOfMs } from '../data/time.ts'
import { address } from './address.ts'

/** Clocks of services may be ahead of the server's. */
const AHEAD_MS = 60_000
export const DEFAULT_LAST = '900'

/** Seconds back from now, or a fixed stretch. */
export type RangeChoice =
  | { readonly kind: 'last'; readonly seconds: number }
  | { readonly kind: 'fixed'; readonly range: TimeRange }

export const rangeChoice = computed<RangeChoice>(() => {
  const { params } = address.value
  const [from, to] = [params.get('from') ?? '', params.get('to') ?? '']
  if (/^\d{1,19}$/.test(from) && /^\d{1,19}$/.test(to) && BigInt(from) <= BigInt(to))
    return { kind: 'fixed', range: { beginNs: BigInt(from), endNs: BigInt(to) } }
  const seconds = Number(params.get('last') ?? DEFAULT_LAST)
  return { kind: 'last', seconds: seconds > 0 && seconds < 1e9 ? seconds : Number(DEFAULT_LAST) }
})

/** Whether new data belongs to what is shown. */
export const isLive = computed(() => rangeChoice.value.kind === 'last')

export function currentRange(nowMs = Date.now()): TimeRange {
  const choice = rangeChoice.value
  if (choice.kind === 'fixed') return choice.range
  return { beginNs: nsOfMs(nowMs - choice.seconds * 1000), endNs: nsOfMs(nowMs + AHEAD_MS) }
}
