import { describe, expect, it, test } from 'vitest'
import {
  chipText,
  conditions,
  logsSql,
  parseChip,
  readFilters,
} from '../../page/src/views/logs/log-filters.ts'
import type { LogRow } from '../../page/src/views/logs/log-window.ts'
import { insert, insertBlocks, startServer } from '../support/server.ts'
import { logBlock, processBody, process as processInfo, stream, streamBody } from '../support/telemetry.ts'

describe('filters of the logs in the address', () => {
  it('are read back as they were written', () => {
    for (const text of ['target:shop.*', 'not-property:region=eu=west', 'text:a:b', 'not-target:x'])
      expect(chipText(parseChip(text)!)).toBe(text)
  })

  it.each(['', 'nothing:x', 'target:', 'property'])('leaves out what is none: %j', (text) => {
    expect(parseChip(text)).toBeUndefined()
  })

  it.each(['0', '7', 'x', '-1', '2.5'])('takes no level %s', (level) => {
    expect(readFilters(new URLSearchParams({ level })).maxLevel).toBeUndefined()
  })

  it('quotes whatever a user may type', () => {
    const params = new URLSearchParams([
      ['p', "x' OR 1=1 --"],
      ['search', "it's"],
      ['f', "property:na'me=va'lue"],
    ])
    expect(conditions(readFilters(params))).toEqual([
      "process_id = 'x'' OR 1=1 --'",
      "strpos(lower(msg), 'it''s') > 0",
      "property_get(properties, 'na''me') = 'va''lue'",
    ])
  })
})

test('the server answers what each filter says', async () => {
  await using server = await startServer()
  const shop = processInfo()
  const logs = stream(shop, 'log')
  await insert(server, 'process', processBody(shop))
  await insert(server, 'stream', streamBody(logs))
  await insertBlocks(
    server,
    logBlock(shop, logs, [
      { at: 1_000, message: 'placed', target: 'shop', properties: { region: 'eu' } },
      {
        at: 2_000,
        message: "It's 100% <b>late</b>",
        target: 'shop.db',
        level: 2,
        properties: { region: 'us' },
      },
      { at: 3_000, message: 'shopping', target: 'shopping', level: 5 },
    ]),
  )
  const found = async (...params: [string, string][]): Promise<string[]> => {
    const rows = await server.query(logsSql(readFilters(new URLSearchParams(params)), 10))
    return rows.map((row) => (row as unknown as LogRow).msg)
  }
  const [placed, late, shopping] = ['placed', "It's 100% <b>late</b>", 'shopping']
  expect(await found()).toEqual([shopping, late, placed])
  expect(await found(['level', '4'])).toEqual([late, placed])
  expect(await found(['search', "it's 100% <B>"])).toEqual([late])
  expect(await found(['search', '_'])).toEqual([])
  expect(await found(['f', 'target:shop.*'])).toEqual([late, placed])
  expect(await found(['f', 'target:shop'])).toEqual([placed])
  expect(await found(['f', 'not-target:shop.*'])).toEqual([shopping])
  expect(await found(['f', 'property:region=eu'])).toEqual([placed])
  expect(await found(['f', 'not-property:region=eu'])).toEqual([shopping, late])
  expect(await found(['f', 'property:region'])).toEqual([late, placed])
  expect(await found(['f', 'not-text:placed'], ['f', 'property:region'])).toEqual([late])
  expect(await found(['p', shop.processId], ['level', '2'])).toEqual([late])
  expect(await found(['p', "x' OR 1=1 --"])).toEqual([])
})
