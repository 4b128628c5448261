import { expect, test } from 'vitest'
import { logger } from '../../../src/tracing/logs/logger.ts'
import { withService } from '../../../test/support/telemetry-service.ts'
import { startServer, temporaryDirectory } from '../support/server.ts'
import { useBrowser } from './support/browser.ts'

const browser = useBrowser()
const KEY = 'mmk_0123456789abcdef0123456789abcdef'

test('without a key it asks for one, tells of a wrong one, and shows the data with the right one', async () => {
  await using server = await startServer({ apiKeys: [{ name: 'a', key: KEY }] })
  await withService(server.url, () => logger('shop').info('hello'), { apiKey: KEY })
  await using visit = await browser.visit(`${server.url}/ui/#/logs`)
  const { page } = visit
  await page.getByRole('heading', { name: 'A key is needed' }).waitFor()
  await page.getByLabel('API key or token').fill('wrong')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'This key is not accepted' }).waitFor()
  await page.getByLabel('API key or token').fill(KEY)
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.locator('.log', { hasText: 'hello' }).waitFor()
  expect(page.url()).not.toContain(KEY)
  await page.reload()
  await page.locator('.log', { hasText: 'hello' }).waitFor()
  expect(visit.faults).toEqual([])
})

test('a key in the fragment is taken and leaves the address', async () => {
  await using server = await startServer({ apiKeys: [{ name: 'a', key: KEY }] })
  await withService(server.url, () => logger('shop').info('hello'), { apiKey: KEY })
  await using visit = await browser.visit(`${server.url}/ui/#key=${KEY}`)
  const { page } = visit
  await page.getByRole('heading', { name: 'Processes' }).waitFor()
  expect(page.url()).toBe(`${server.url}/ui/`)
  await page.goBack().catch(() => null)
  expect(page.url()).not.toContain(KEY)
})

test('a key that is no longer good leads back to the question', async () => {
  const { writeFile } = await import('node:fs/promises')
  await using folder = await temporaryDirectory()
  const apiKeysFile = `${folder.path}/keys.json`
  await writeFile(apiKeysFile, JSON.stringify([{ name: 'a', key: KEY }]))
  await using server = await startServer({ apiKeysFile, disableAuth: false })
  await withService(server.url, () => logger('shop').info('hello'), { apiKey: KEY })
  await using visit = await browser.visit(`${server.url}/ui/#key=${KEY}`)
  const { page } = visit
  await page.getByRole('heading', { name: 'Processes' }).waitFor()
  await writeFile(apiKeysFile, JSON.stringify([{ name: 'a', key: `${KEY}new` }]))
  await page.getByRole('heading', { name: 'This key is not accepted' }).waitFor()
})
