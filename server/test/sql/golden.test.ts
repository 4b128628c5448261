import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LocalEngine } from '../../src/sql/local-engine.ts'
import { ask } from './answers.ts'
import { expectClose } from './close.ts'
import { openGoldenEngine, rangeOf } from './golden-engine.ts'

interface Golden {
  readonly name: string
  readonly sql: string
  readonly begin: string | null
  readonly end: string | null
  readonly preserveDictionary?: boolean
  readonly columns?: readonly { readonly name: string; readonly type: string }[]
  readonly rows?: readonly (readonly unknown[])[]
  readonly error?: string
}

const url = new URL('./golden/queries.json', import.meta.url)
const queries = JSON.parse(readFileSync(url, 'utf8')) as Golden[]

/** Answers that may differ, and by how much of their value: sketches of two makers, within the error of a sketch. */
const SKETCHES: ReadonlyMap<string, number> = new Map([
  ['measure-percentile', 0.01],
  ['measure-within-group', 0.01],
])

/** How the recorded errors name the status that an {@link SqlError} carries. */
const STATUS: readonly (readonly [RegExp, string])[] = [
  [/^ArrowInvalid: /, 'INVALID_ARGUMENT'],
  [/^FlightInternalError: /, 'INTERNAL'],
  [/^ArrowNotImplementedError: /, 'UNIMPLEMENTED'],
]

let engine: LocalEngine

beforeAll(async () => {
  engine = await openGoldenEngine()
})

afterAll(() => engine.close())

test.each(queries)('$name is answered as by a real server', async (golden) => {
  const answer = ask(engine, {
    sql: golden.sql,
    range: rangeOf(golden),
    preserveDictionary: golden.preserveDictionary,
    caller: { admin: false },
  })
  if (golden.error !== undefined) {
    const text = /error building [\s\S]*?(?= \(query_id=|$)/.exec(golden.error)?.[0]
    const code = STATUS.find(([pattern]) => pattern.test(golden.error!))?.[1]
    const error = await answer.then(
      () => undefined,
      (reason: Error) => reason,
    )
    expect(error).toMatchObject({ name: 'SqlError', code })
    // The recorded text may be cut, and where an error is found, before or while rows are computed, is each engine's own.
    const meaning = (message: string): string =>
      message.replace(/^error building (dataframe|data stream): /, '')
    expect(meaning(error!.message)).toContain(meaning(text!).slice(0, 120))
    return
  }
  const { columns, rows } = await answer
  expect(columns.map(({ name, type }) => ({ name, type }))).toEqual(golden.columns)
  const isOrdered = /order by/i.test(golden.sql)
  const sorted = (list: readonly (readonly unknown[])[]): readonly (readonly unknown[])[] =>
    isOrdered ? list : [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  expectClose(sorted(rows), sorted(golden.rows!), SKETCHES.get(golden.name) ?? 1e-12)
})
