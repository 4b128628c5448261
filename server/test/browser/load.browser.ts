import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { logger } from '../../../src/tracing/logs/logger.ts'
import { asyncSpan } from '../../../src/tracing/spans/span.ts'
import { withService } from '../../../test/support/telemetry-service.ts'
import { startServer, temporaryDirectory } from '../support/server.ts'
import { useBrowser } from './support/browser.ts'

const browser = useBrowser()
const SPANS = 100_000
const LOGS_PER_SECOND = 5_000
const SECONDS = 60

/** Requests of two children each, ten at once. */
async function recordSpans(count: number): Promise<void> {
  const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  for (let done = 0; done < count; done += 30) {
    await Promise.all(
      Array.from({ length: 10 }, (_, k) =>
        asyncSpan(`request ${k}`, async () => {
          await asyncSpan('query', nextTurn)
          await asyncSpan('render', async () => {})
        }),
      ),
    )
  }
}

async function recordLogs(): Promise<number> {
  const log = logger('load')
  const begin = performance.now()
  const total = LOGS_PER_SECOND * SECONDS
  for (let done = 0; done < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - begin) / 1000) * LOGS_PER_SECOND))
    for (; done < due; done++) log.info`order ${done} placed by ${done % 100}`
    await sleep(20)
  }
  return total
}

const rowCount = async (page: Page): Promise<number> => {
  const [, count] = /^([\d,]+) rows/.exec(await page.locator('.status').innerText()) ?? []
  return Number(count?.replaceAll(',', ''))
}

test.each(['light', 'dark'] as const)(
  '100,000 spans are drawn, zoomed and told, in %s colours',
  async (scheme) => {
    await using server = await startServer()
    await withService(server.url, () => recordSpans(SPANS))
    const [row] = await server.query('SELECT process_id FROM processes')
    await using visit = await browser.visit(`${server.url}/ui/#/timeline?p=${row!.process_id}&last=3600`, {
      scheme,
    })
    const { page } = visit
    await page.getByText(`${(Math.ceil(SPANS / 30) * 30).toLocaleString('en')} spans`).waitFor()
    for (const key of 'wwwwddaass') await page.keyboard.press(key)
    await page.getByRole('button', { name: 'All' }).click()
    await page.getByText('The longest spans in view').click()
    await page
      .getByRole('button', { name: /^request \d/ })
      .first()
      .click()
    const details = page.getByRole('complementary', { name: 'The selected span' })
    await details.getByText('2 children').waitFor()
    await details.getByRole('button', { name: 'query' }).click()
    await details.getByText('parent').waitFor()
    expect(visit.faults).toEqual([])
  },
)

test('5,000 logs a second, and a restart in the middle: the page follows, and nothing is lost', {
  timeout: 120_000 + SECONDS * 1000,
}, async () => {
  await using directory = await temporaryDirectory()
  const dataDir = directory.path
  let server = await startServer({ dataDir })
  try {
    const { url, port } = server
    await using visit = await browser.visit(`${url}/ui/#/logs?last=3600`)
    const { page } = visit
    const recorded = withService(url, recordLogs)
    await page.locator('.log').first().waitFor()
    await sleep(SECONDS * 500)
    await server.close()
    await page.getByRole('alert').getByText('does not answer').waitFor()
    server = await startServer({ dataDir, port })
    await page.getByRole('alert').getByText('does not answer').waitFor({ state: 'detached' })
    const total = await recorded
    await page.locator('.log', { hasText: `order ${total - 1} ` }).waitFor()
    await expect.poll(() => rowCount(page)).toBe(Math.min(50_000, total))
    const [{ n, different } = {}] = await server.query(
      'SELECT count(*) AS n, count(distinct msg) AS different FROM log_entries',
    )
    expect([Number(n), Number(different)]).toEqual([total, total])
    expect(visit.faults).toEqual([])
  } finally {
    await server.close()
  }
})
