import { clockText, dateText, msOfNs } from '../data/time.ts'
import { set } from '../state/address.ts'
import { DEFAULT_LAST, rangeChoice } from '../state/range.ts'
import { zone } from '../state/settings.ts'

const CHOICES = [
  ['60', 'last minute'],
  ['300', 'last 5 minutes'],
  [DEFAULT_LAST, 'last 15 minutes'],
  ['3600', 'last hour'],
  ['21600', 'last 6 hours'],
  ['86400', 'last day'],
  ['604800', 'last week'],
] as const

export function RangeChoice() {
  const choice = rangeChoice.value
  const fixed = choice.kind === 'fixed'
  return (
    <select
      aria-label="Time range"
      value={fixed ? 'fixed' : String(choice.seconds)}
      onChange={(event) => {
        const last = event.currentTarget.value
        if (last !== 'fixed')
          set({ from: undefined, to: undefined, last: last === DEFAULT_LAST ? undefined : last })
      }}
    >
      {fixed && (
        <option value="fixed">{fixedText(msOfNs(choice.range.beginNs), msOfNs(choice.range.endNs))}</option>
      )}
      {choice.kind === 'last' && !CHOICES.some(([seconds]) => seconds === String(choice.seconds)) && (
        <option value={String(choice.seconds)}>last {choice.seconds} s</option>
      )}
      {CHOICES.map(([seconds, text]) => (
        <option key={seconds} value={seconds}>
          {text}
        </option>
      ))}
    </select>
  )
}

function fixedText(beginMs: number, endMs: number): string {
  const digits = endMs - beginMs < 10_000 ? 3 : 0
  return `${dateText(beginMs, zone.value)} ${clockText(beginMs, zone.value, digits)} – ${clockText(endMs, zone.value, digits)}`
}
