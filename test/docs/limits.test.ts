import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as limits from '../../src/tracing/limits.ts'

/** What the documentation calls each limit. */
const NAMES: Readonly<Record<keyof typeof limits, string>> = {
  MAX_MESSAGE_CHARS: 'message of a log',
  MAX_NAME_CHARS: 'name of a metric, a span, a target',
  MAX_PROPERTIES: 'properties of an event or a span',
  MAX_PROPERTY_CHARS: 'name or value of a property',
  MAX_SET_CHARS: 'names and values of an event together',
  MAX_ERROR_CHARS: "message of an error in a span's properties",
  MAX_IMAGE_BYTES: 'image',
  MAX_TEMPLATES: 'templates of logs',
  MAX_TEXTS: 'different texts of logs',
  MAX_TARGETS: 'targets of loggers',
  MAX_METRICS: 'different metrics',
  MAX_SPAN_NAMES: 'names of spans',
  MAX_PROPERTY_SETS: 'property sets that are remembered',
}

test('the limits in the documentation are those of the code', () => {
  const page = readFileSync(new URL('../../docs/recording.md', import.meta.url), 'utf8')
  const rows = new Map(
    [...page.matchAll(/^\| ([^|]+) \| ([\d,]+)( MiB)?[^|]*\|/gm)].map(([, name, number, mega]) => [
      name,
      Number(number!.replaceAll(',', '')) * (mega === undefined ? 1 : 1024 * 1024),
    ]),
  )
  const documented = Object.entries(NAMES).map(([constant, name]) => [constant, rows.get(name)])
  expect(Object.fromEntries(documented)).toEqual({ ...limits })
})
