/**
 * Bytes on the wire per event, beside OTLP: `npm run bench:wire-size -- [--node PATH] [--json FILE]`. Needs the build in
 * dist.
 */
import { printTitle, readCommand, writeResult } from '../support/command.ts'
import { formatNumber, formatTable } from '../support/table.ts'
import { measureWireSize, type WireSize } from './wire-size.ts'

/** What OpenTelemetry's batch processors send at once by default. */
const OTLP_BATCH = 512

const command = readCommand()
const machine = printTitle('Bytes on the wire per event, compressed', command.node)

const sizes: WireSize[] = []
for (const batch of ['block', OTLP_BATCH] as const) {
  for (const data of ['logs', 'metrics', 'spans'] as const) {
    sizes.push(await measureWireSize(command.node, data, batch))
  }
}
const header = ['', 'events', 'a request', 'ours', 'OTLP + gzip', 'to ours', 'OTLP, not compressed']
console.log(
  formatTable(
    header,
    sizes.map((size) => [
      size.data,
      size.events.toLocaleString('en'),
      Math.round(size.events / size.requests).toLocaleString('en'),
      formatNumber(size.bytesPerEvent),
      formatNumber(size.otlpBytesPerEvent),
      `${formatNumber(size.otlpBytesPerEvent / size.bytesPerEvent)} ×`,
      formatNumber(size.otlpUncompressedBytesPerEvent),
    ]),
  ),
)
writeResult(command.json, {
  machine,
  lines: sizes.flatMap(({ data, batch, bytesPerEvent, otlpBytesPerEvent }) => {
    const line = { section: 'Wire size', unit: 'bytes per event' }
    const label = batch === 'block' ? `${data}, full blocks` : `${data}, ${batch} a request`
    return [
      { ...line, label: `${label}: Micromegas`, figure: bytesPerEvent },
      { ...line, label: `${label}: OTLP protobuf, gzip`, figure: otlpBytesPerEvent },
    ]
  }),
  details: sizes,
})
