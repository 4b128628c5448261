import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LocalEngine } from '../../src/sql/local-engine.ts'
import { ask } from './answers.ts'
import { expectClose } from './close.ts'
import { openGoldenEngine } from './golden-engine.ts'

/** What the reference's query library (DataFusion 55) answered over the rows of the recordings, or the code of its error. */
interface LibraryAnswer {
  readonly sql: string
  readonly columns?: readonly { readonly name: string; readonly type: string }[]
  readonly rows?: readonly (readonly unknown[])[]
  readonly error?: string
}

const url = new URL('./golden/library.json', import.meta.url)
const answers = JSON.parse(readFileSync(url, 'utf8')) as LibraryAnswer[]

let engine: LocalEngine

beforeAll(async () => {
  engine = await openGoldenEngine()
})

afterAll(() => engine.close())

test.each(answers)('$sql', async ({ sql, columns, rows, error }) => {
  const answer = ask(engine, { sql, preserveDictionary: true, caller: { admin: false } })
  if (error !== undefined) {
    await expect(answer).rejects.toMatchObject({ name: 'SqlError', code: error })
    return
  }
  const given = await answer
  expect(given.columns.map(({ name, type }) => ({ name, type }))).toEqual(columns)
  const sorted = (list: readonly (readonly unknown[])[]): readonly (readonly unknown[])[] =>
    /order by/i.test(sql) ? list : [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  // Percentiles of the two are sketches of different makers.
  expectClose(sorted(given.rows), sorted(rows!), /approx_/.test(sql) ? 0.01 : 1e-12)
})
