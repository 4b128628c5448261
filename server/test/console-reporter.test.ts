import { expect, test } from 'vitest'
import { consoleReporter } from '../src/command/console-reporter.ts'
import type { ServerEvent } from '../src/index.ts'

const refused: ServerEvent = {
  type: 'refused',
  status: 401,
  method: 'POST',
  path: '/ingestion/insert_block',
  reason: 'no API key matches',
}

test('a client that retries is written once in ten seconds, and counted', () => {
  const lines: string[] = []
  let now = Date.UTC(2024, 0, 1)
  const report = consoleReporter({ write: (line) => lines.push(line), wallClock: () => now })
  for (let i = 0; i < 100; i++) {
    report(refused)
    now += 200
  }
  expect(lines).toEqual([
    '2024-01-01T00:00:00.000Z WARN POST /ingestion/insert_block refused with 401: no API key matches',
    '2024-01-01T00:00:10.000Z WARN POST /ingestion/insert_block refused with 401: no API key matches (and 49 times more since)',
  ])
})

test('what a client sent cannot fake a line', () => {
  const lines: string[] = []
  consoleReporter({ write: (line) => lines.push(line) })({ ...refused, path: '/a\n2024 ERROR fake\u001b[2J' })
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('/a\\u000a2024 ERROR fake\\u001b[2J')
})

test('what is stored is no news, except as JSON', () => {
  const stored: ServerEvent = { type: 'stored', what: 'block', id: 'b', processId: 'p', bytes: 1 }
  const text: string[] = []
  const json: string[] = []
  consoleReporter({ write: (line) => text.push(line) })(stored)
  consoleReporter({ write: (line) => json.push(line), json: true })(stored)
  expect(text).toEqual([])
  expect(JSON.parse(json[0] ?? '')).toMatchObject({ level: 'info', ...stored })
})
