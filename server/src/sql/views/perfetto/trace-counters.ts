import { PropertyTexts, pagesOf, type TraceWriting } from './trace-rows.ts'

/** Tracks of counters: beyond, the property sets of a metric that are still to come share one. */
const MAX_TRACKS = 1_000
const SHARED = '{other properties}'

/** @param measures - SQL of the columns time, name, target, unit, value and properties. */
export async function writeCounters(trace: TraceWriting, measures: string): Promise<void> {
  const { connection, name, writer, signal, store } = trace
  const texts = new PropertyTexts()
  const tracks = new Map<string, number>()
  const targets = new Set<string>()
  const trackOf = (metric: string, target: string, unit: string, properties: string): number => {
    const key = JSON.stringify([metric, target, unit, properties])
    const known = tracks.get(key)
    if (known !== undefined) return known
    if (tracks.size >= MAX_TRACKS && properties !== SHARED) return trackOf(metric, target, unit, SHARED)
    const track = tracks.size
    tracks.set(key, track)
    if (!targets.has(target)) writer.countersDescriptor(target)
    targets.add(target)
    writer.counterDescriptor(track, {
      name: properties === '' ? metric : `${metric} ${properties}`,
      target,
      unit,
    })
    return track
  }
  for await (const page of pagesOf(connection, `${name}_measures`, measures, signal)) {
    for (const [time, metric, target, unit, value, json] of page) {
      const track = trackOf(String(metric), String(target), String(unit), labelOf(texts.read(json)))
      writer.count(time as bigint, track, Number(value))
    }
    await store()
  }
}

/** `{route=/, status=200}`, or nothing. */
function labelOf(properties: Readonly<Record<string, string>>): string {
  const list = Object.entries(properties).map(([key, value]) => `${key}=${value}`)
  return list.length === 0 ? '' : `{${list.join(', ')}}`
}
