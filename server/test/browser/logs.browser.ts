import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { logger } from '../../../src/tracing/logs/logger.ts'
import { asyncSpan } from '../../../src/tracing/spans/span.ts'
import { withService } from '../../../test/support/telemetry-service.ts'
import { startServer, type TestServer, temporaryDirectory } from '../support/server.ts'
import { useBrowser } from './support/browser.ts'

const browser = useBrowser()

test('the first run says what to paste, and shows the first process when it comes', async () => {
  await using server = await startServer()
  await using visit = await browser.visit(`${server.url}/ui/`)
  const { page } = visit
  await page.getByRole('heading', { name: 'Nothing has come yet' }).waitFor()
  expect(await page.locator('pre').innerText()).toContain(
    `export MICROMEGAS_TELEMETRY_URL=${server.url}\nnode --import micromegas/register app.js`,
  )
  await withService(server.url, () => logger('shop').info('hello'))
  await page.getByRole('heading', { name: 'Processes' }).waitFor()
  expect(await page.locator('tbody tr').count()).toBe(1)
  expect(visit.faults).toEqual([])
})

test('logs come live, wait while paused, and are all there afterwards', async () => {
  await using server = await startServer()
  const log = logger('shop.http')
  await withService(server.url, async (telemetry) => {
    log.info('first')
    await telemetry.flush()
    await using visit = await browser.visit(`${server.url}/ui/#/logs`)
    const { page } = visit
    const row = (text: string) => page.locator('.log', { hasText: text })
    await row('first').waitFor()
    log.warn('second', { region: 'eu' })
    await telemetry.flush()
    await row('second').waitFor()

    await page.getByRole('button', { name: 'Pause' }).click()
    for (let i = 0; i < 3; i++) log.info(`third ${i}`)
    await telemetry.flush()
    await page.getByRole('button', { name: '3 new' }).waitFor()
    expect(await row('third').count()).toBe(0)
    await page.getByRole('button', { name: '3 new' }).click()
    await row('third 2').waitFor()
    expect(await page.locator('.log').allInnerTexts()).toHaveLength(5)

    // A row leads to its details; a property of it becomes a filter.
    await row('second').click()
    await page.getByRole('button', { name: 'only region=eu' }).click()
    await row('third').first().waitFor({ state: 'detached' })
    expect(page.url()).toContain('f=property%3Aregion%3Deu')
    await page.reload()
    await row('second').waitFor()
    expect(await page.locator('.log').count()).toBe(1)
    await page.goBack()
    await row('third').first().waitFor()
    expect(visit.faults).toEqual([])
  })
})

test('the server tells of what it stores: a row comes without waiting for the next question', async () => {
  await using server = await startServer()
  await withService(server.url, async (telemetry) => {
    logger('shop').info('first')
    await telemetry.flush()
    await using visit = await browser.visit('about:blank')
    const { page } = visit
    // No question is asked again because of the time that has gone by.
    await page.addInitScript(
      'const { setTimeout } = window; window.setTimeout = (f, ms, ...rest) => (ms >= 500 ? 0 : setTimeout(f, ms, ...rest))',
    )
    const followed = page.waitForResponse(`${server.url}/api/live`)
    await page.goto(`${server.url}/ui/#/logs`)
    await page.locator('.log', { hasText: 'first' }).waitFor()
    await followed
    logger('shop').info('second')
    await telemetry.flush()
    await page.locator('.log', { hasText: 'second' }).waitFor()
  })
})

test('logs of a burst before the page was opened are no news', async () => {
  await using server = await startServer()
  await withService(server.url, async (telemetry) => {
    for (let i = 0; i < 30_000; i++) {
      logger('shop').info`old ${i}`
      if (i % 3000 === 2999) await telemetry.flush()
    }
    await using visit = await browser.visit(`${server.url}/ui/#/logs`)
    const { page } = visit
    await page.locator('.status', { hasText: '1,000 rows' }).waitFor()
    logger('shop').info('new')
    await telemetry.flush()
    await page.locator('.log', { hasText: 'new' }).waitFor()
    expect(await page.locator('.status').innerText()).toBe('1,001 rows, live')
  })
})

test('filters give what SQL gives', async () => {
  await using server = await startServer()
  await withService(server.url, () => {
    for (let i = 0; i < 20; i++) logger('shop.db').debug(`query ${i}`)
    logger('shop').error('no card', new Error('declined'))
    logger('mail').info('sent 100%')
  })
  await using visit = await browser.visit(`${server.url}/ui/#/logs`)
  const { page } = visit
  await page.locator('.log', { hasText: 'no card' }).waitFor()
  const shown = async (): Promise<number> => {
    const [, count] = /^([\d,]+) rows/.exec(await page.locator('.status').innerText()) ?? []
    return Number(count?.replaceAll(',', ''))
  }
  expect(await shown()).toBe(22)
  await page.getByLabel('Most verbose level').selectOption('4')
  await expect.poll(shown).toBe(2)
  await page.keyboard.press('/')
  await page.keyboard.type('100%')
  await expect.poll(shown).toBe(1)
  await page.getByLabel('Text in messages').fill('')
  await page.getByLabel('Most verbose level').selectOption('')
  await expect.poll(shown).toBe(22)
  await page.getByRole('button', { name: /^shop\.db/ }).click({ modifiers: ['Alt'] })
  await expect.poll(shown).toBe(2)
  await page.getByRole('link', { name: 'open as SQL' }).click()
  await page.getByText('2 rows in').waitFor()
  // A stack is folded to what it says.
  await page.goBack()
  expect(await page.locator('.log', { hasText: 'no card' }).innerText()).toContain(
    'no card ↵ Error: declined',
  )
  expect(visit.faults).toEqual([])
})

describe('a row', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
    await withService(server.url, async () => {
      logger('shop').info("it's before")
      await asyncSpan('checkout', async () => {
        logger('shop').error('no card', new Error('declined'))
      })
      logger('shop').info('after')
    })
  })
  afterAll(() => server.close())

  test('and its list are copied as text, JSON, SQL, and a curl that works', async () => {
    await using visit = await browser.visit(`${server.url}/ui/#/logs?last=3600`)
    const { page } = visit
    await page.locator('.log', { hasText: 'after' }).waitFor()
    const copied = async (what: string): Promise<string> => {
      await page.getByRole('button', { name: what, exact: true }).click()
      return (await page.evaluate('navigator.clipboard.readText()')) as string
    }
    await page.getByText('Copy', { exact: true }).click()
    const text = await copied('as text')
    expect(text).toMatch(/^\S+Z INFO {2}shop: it's before\n/)
    expect(text).toContain('Error: declined')
    const rows = JSON.parse(await copied('as JSON')) as readonly { readonly msg: string }[]
    expect(rows.map(({ msg }) => msg.split('\n')[0])).toEqual(["it's before", 'no card', 'after'])
    const sql = await copied('as SQL')
    expect((await server.query(sql)).map(({ msg }) => String(msg).split('\n')[0])).toEqual(
      rows.map(({ msg }) => msg.split('\n')[0]).reverse(),
    )
    const { stdout } = await promisify(execFile)('sh', ['-c', `${await copied('as curl')} -s`])
    expect(JSON.parse(stdout)).toHaveLength(3)
    // The menu is over the rows until a press beside it.
    await page
      .getByRole('heading', { name: 'Logs' })
      .locator('..')
      .click({ position: { x: 2, y: 2 } })
    await page.getByRole('button', { name: 'as text' }).waitFor({ state: 'hidden' })
    await page.locator('.log', { hasText: 'no card' }).click()
    expect(JSON.parse(await copied('Copy as JSON'))).toMatchObject({ level: 2, target: 'shop' })
    expect(visit.faults).toEqual([])
  })

  test('leads to what happened around it, past the filters, and to its span', async () => {
    await using visit = await browser.visit(`${server.url}/ui/#/logs?last=3600&search=card`)
    const { page } = visit
    await page.locator('.log', { hasText: 'no card' }).click()
    await page.getByRole('button', { name: 'What happened around it' }).click()
    await page.locator('.log', { hasText: 'after' }).waitFor()
    expect(await page.locator('.log').count()).toBe(3)
    await page.goBack()
    await page.locator('.log', { hasText: 'after' }).waitFor({ state: 'detached' })
    await page.locator('.log', { hasText: 'no card' }).click()
    await page.getByRole('link', { name: 'Its span' }).click()
    const details = page.getByRole('complementary', { name: 'The selected span' })
    await details.getByText('checkout').first().waitFor()
    await details.getByText('no card').waitFor()
    expect(visit.faults).toEqual([])
  })

  test('has its time in local time, and in UTC', async () => {
    await using visit = await browser.visit(`${server.url}/ui/#/logs?last=3600`, { timeZone: 'Asia/Tokyo' })
    const { page } = visit
    const hour = async (): Promise<number> =>
      Number((await page.locator('.log .time').first().innerText()).split(':')[0])
    const local = await hour()
    await page.getByRole('button', { name: 'local', exact: true }).click()
    await page.getByRole('button', { name: 'UTC', exact: true }).waitFor()
    expect((await hour()) + 9).toBe(local < 9 ? local + 24 : local)
    await page.reload()
    await page.getByRole('button', { name: 'UTC', exact: true }).waitFor()
  })
})

test('a server that restarts loses nothing and doubles nothing', async () => {
  await using directory = await temporaryDirectory()
  const dataDir = directory.path
  let server = await startServer({ dataDir })
  const { port, url } = server
  await withService(url, () => logger('shop').info('before'))
  await using visit = await browser.visit(`${url}/ui/#/logs`)
  const { page } = visit
  await page.locator('.log', { hasText: 'before' }).waitFor()
  await server.close()
  await page.getByRole('alert').getByText('does not answer').waitFor()
  expect(await page.locator('.log').count()).toBe(1)
  server = await startServer({ dataDir, port })
  await withService(url, () => logger('shop').info('after'))
  await page.locator('.log', { hasText: 'after' }).waitFor()
  expect((await page.locator('.log .msg').allInnerTexts()).map((text) => text.trim())).toEqual([
    'before',
    'after',
  ])
  await server.close()
})
