import { expect, test } from 'vitest'
import { consoleReporter } from '../../src/command/console-reporter.ts'
import type { ServerEvent } from '../../src/index.ts'
import { printable, printableJson } from '../../src/server-event.ts'

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

test('a client that makes up new problems is bounded too: twenty a minute of each kind, the rest is counted', () => {
  for (const json of [false, true]) {
    const lines: string[] = []
    let now = Date.UTC(2024, 0, 1)
    const report = consoleReporter({ write: (line) => lines.push(line), wallClock: () => now, json })
    for (let minute = 0; minute < 3; minute++) {
      for (let i = 0; i < 5000; i++) report({ ...refused, reason: `made up ${minute} ${i}` })
      now += 60_000
    }
    expect(lines).toHaveLength(3 * 21)
    expect(lines[20]).toContain(
      'more of this kind (refused with 401) are counted and not written for a minute: see /api/stats',
    )
    expect(lines[21]).toContain(
      json ? '"skipped":4980' : 'made up 1 0 (and 4980 others refused with 401 since)',
    )
    // Other kinds are not held back by it.
    report({ ...refused, status: 503, reason: 'another' })
    report({ type: 'warning', message: 'warned' })
    expect(lines).toHaveLength(3 * 21 + 2)
    if (json) for (const line of lines) expect(() => JSON.parse(line)).not.toThrow()
  }
})

test('a clock that is set back does not silence anything for long', () => {
  const lines: string[] = []
  let now = Date.UTC(2024, 0, 2)
  const report = consoleReporter({ write: (line) => lines.push(line), wallClock: () => now })
  report(refused)
  now -= 86_400_000
  report(refused)
  expect(lines).toHaveLength(2)
})

test.each([
  ['C1 control sequence', '\u009b2J', '\\u009b2J'],
  ['next line', '\u0085', '\\u0085'],
  ['right-to-left override', '\u202egnp.exe', '\\u202egnp.exe'],
  ['isolates', '\u2066a\u2069', '\\u2066a\\u2069'],
  ['marks', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
  ['zero width', '\u200b\ufeff\u2060', '\\u200b\\ufeff\\u2060'],
  ['tags that nobody sees', '\u{e0041}', '\\u{e0041}'],
  ['half a pair', '\ud83d', '\\ud83d'],
  ['text', 'naïve 👩‍💻 می‌خواهم עברית\t日本', 'naïve 👩‍💻 می‌خواهم עברית\t日本'],
])('%s: what is no text is escaped, in lines and in JSON, which reads back the same', (_name, from, to) => {
  expect(printable(from)).toBe(to)
  const json = printableJson({ from })
  expect(json).not.toMatch(/(?!\u200c|\u200d)[\p{Cc}\p{Cf}\p{Cs}]/u)
  expect(JSON.parse(json)).toEqual({ from })
})
