import { processLabel } from '../data/process.ts'
import { processById, processes } from '../data/processes.ts'
import { agoText, msOfNs } from '../data/time.ts'
import { processId, set } from '../state/address.ts'

export function ProcessChoice() {
  const known = processes.value ?? []
  const chosen = processId.value
  return (
    <select
      aria-label="Process"
      value={chosen ?? ''}
      onChange={(event) => set({ p: event.currentTarget.value || undefined })}
    >
      <option value="">all processes</option>
      {chosen !== undefined && !processById.value.has(chosen) && <option value={chosen}>{chosen}</option>}
      {known.map((process) => (
        <option key={process.id} value={process.id}>
          {processLabel(process)} · {agoText(Date.now() - msOfNs(process.startNs))}
        </option>
      ))}
    </select>
  )
}
