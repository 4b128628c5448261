import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const textOf = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')

/** The members of a union of texts. */
function membersOf(file: string, type: string): string[] {
  const [, union = ''] =
    new RegExp(`^export type ${type} =\n((?:  (?:\\||/\\*\\*).*\n)+)`, 'm').exec(textOf(file)) ?? []
  return [...union.matchAll(/\| '([^']+)'/g)].map(([, member]) => member!)
}

/** The first column of the table below a heading. */
function tableBelow(heading: string): string[] {
  const [, text = ''] = textOf('docs/troubleshooting.md').split(`\n## ${heading}\n`)
  return [...text.split('\n## ')[0]!.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell]) => cell!)
}

test.each([
  ['Errors by code', 'src/model/errors.ts', 'TelemetryErrorCode', 6],
  ['Lost events by reason', 'src/sink/upload/outcome.ts', 'DropReason', 10],
])('%s are in the documentation as in the code', (heading, file, type, count) => {
  const members = membersOf(file, type)
  expect(members).toHaveLength(count)
  expect(tableBelow(heading)).toEqual(members)
})
