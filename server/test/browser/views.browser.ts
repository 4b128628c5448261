import { mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recordImage } from '../../../src/tracing/image.ts'
import { logger } from '../../../src/tracing/logs/logger.ts'
import { fmetric } from '../../../src/tracing/metric.ts'
import { asyncSpan, span } from '../../../src/tracing/spans/span.ts'
import { propertySet } from '../../../src/tracing/values/property-set.ts'
import { withService } from '../../../test/support/telemetry-service.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { useBrowser } from './support/browser.ts'

const browser = useBrowser()
/** `PAGE_PICTURES=1 npm run test:page` makes those of the docs. */
const pictures = process.env.PAGE_PICTURES === '1'
const pictureFolder = fileURLToPath(new URL('../../../docs/images', import.meta.url))
const PICTURED = ['requests', 'logs', 'timeline']
const HOSTILE = `<img src=x onerror="document.title='caught'">'"\u202e\u0000`

let server: TestServer
let id: string

/** One red pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
  'base64',
)

async function serve(route: string, slow: number): Promise<void> {
  const start = performance.now()
  const duration = fmetric('http.server.request.duration', 's', { target: 'http' })
  const failed = slow > 30
  await asyncSpan(
    'GET',
    { properties: { 'span.kind': 'SERVER', 'url.path': route }, late: true },
    async (request) => {
      await asyncSpan('query', async (query) => {
        query.set({ table: 'orders' })
        await new Promise((resolve) => setTimeout(resolve, slow / 2))
        span('parse rows', () => {
          const until = performance.now() + slow / 10
          while (performance.now() < until);
        })
      })
      logger('shop.http').info(`answered ${route}`)
      if (failed) logger('shop.http').error('no card', new Error('card declined'))
      request.rename(`GET ${route}`).set({ 'http.response.status_code': failed ? 500 : 200 })
      if (failed) request.set({ 'error.type': '500' })
    },
  )
  const properties = {
    'http.request.method': 'GET',
    'http.route': route,
    ...(failed && { 'error.type': '500' }),
  }
  duration.record((performance.now() - start) / 1000, propertySet(properties))
}

beforeAll(async () => {
  server = await startServer()
  await withService(
    server.url,
    async () => {
      for (let i = 0; i < (pictures ? 700 : 12); i++)
        await Promise.all([
          serve('/orders/:id', 4 + (i % 7) * 3),
          serve('/users', 2 + (i % 12)),
          serve('/pay', i % 90 === 9 || i === 697 ? 40 : 8),
        ])
      if (!pictures) {
        logger(HOSTILE).warn(HOSTILE, { [HOSTILE]: HOSTILE })
        fmetric(HOSTILE, 'x').record(1)
        span(HOSTILE, () => {})
      }
      recordImage('chart', 'png', PNG)
    },
    { systemMetrics: true, processExe: '/srv/shop/main.mjs' },
  )
  const [row] = await server.query('select process_id from processes')
  id = String(row!.process_id)
})

afterAll(() => server.close())

const VIEWS: readonly (readonly [string, (page: Page) => Promise<unknown>])[] = [
  ['processes', (page) => page.getByRole('columnheader', { name: 'program' }).waitFor()],
  [
    'logs',
    (page) =>
      page
        .locator('.log', { hasText: pictures ? 'answered' : 'card declined' })
        .first()
        .waitFor(),
  ],
  ['requests', (page) => page.getByRole('link', { name: 'GET /pay' }).first().waitFor()],
  ['timeline', (page) => page.getByText(/\d+ spans/).waitFor()],
  ['metrics', (page) => page.locator('.u-legend').first().waitFor()],
  ['sql', (page) => page.getByRole('button', { name: 'Run' }).waitFor()],
]

describe.each(['light', 'dark'] as const)('in %s colours', (scheme) => {
  test.each(VIEWS)('%s: nothing for axe to find, no fault, text is text', async (name, ready) => {
    await using visit = await browser.visit(
      `${server.url}/ui/#/${name}?p=${id}${pictures ? '&last=60' : ''}`,
      {
        scheme,
        height: pictures ? 720 : 800,
      },
    )
    const { page, faults } = visit
    await ready(page)
    if (pictures && scheme === 'light' && PICTURED.includes(name)) {
      await page.waitForTimeout(1500)
      await mkdir(pictureFolder, { recursive: true })
      await page.screenshot({ path: `${pictureFolder}/page-${name}.png` })
    }
    const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
    // Past the policy of the page, which would not take it in.
    const { readFile } = await import('node:fs/promises')
    await page.evaluate(await readFile(axe, 'utf8'))
    const found = await page.evaluate(
      `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 200)).join(' | ')))`,
    )
    expect(found).toEqual([])
    if (name === 'logs' && !pictures) await page.getByText('\\u202e').first().waitFor()
    expect(await page.title()).toBe('Micromegas')
    expect(await page.locator('img[src="x"]').count()).toBe(0)
    expect(faults).toEqual([])
  })
})

test('a change of the colours of the system is followed, in what is painted too', async () => {
  await using visit = await browser.visit(`${server.url}/ui/#/timeline?p=${id}`)
  const { page } = visit
  await page.getByText(/\d+ spans/).waitFor()
  const colours = (): Promise<unknown> =>
    page.evaluate(`(() => {
      const canvas = document.querySelector('canvas')
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
      return [getComputedStyle(document.body).backgroundColor, [...new Set(new Uint32Array(data.buffer))].sort().join()]
    })()`)
  const light = (await colours()) as readonly string[]
  await page.emulateMedia({ colorScheme: 'dark' })
  await expect.poll(async () => ((await colours()) as readonly string[])[0]).not.toBe(light[0])
  await expect.poll(async () => ((await colours()) as readonly string[])[1]).not.toBe(light[1])
  await page.emulateMedia({ colorScheme: 'light' })
  await expect.poll(colours).toEqual(light)
})

test('a route, a failed request, its trace and what it logged: three clicks', async () => {
  await using visit = await browser.visit(`${server.url}/ui/#/requests`)
  const { page } = visit
  await page.getByRole('button', { name: 'GET /pay' }).click()
  await page.getByRole('button', { name: 'failed only' }).click()
  const failed = page.getByRole('link', { name: 'GET /pay' })
  await expect.poll(() => failed.count()).toBe(1)
  await failed.click()
  const details = page.getByRole('complementary', { name: 'The selected span' })
  await details.getByText('http.response.status_code').waitFor()
  expect(await details.innerText()).toContain('1 children')
  await details.getByText('no card').waitFor()
  await details.getByText('answered /pay').waitFor()
  await details.getByRole('button', { name: 'query' }).click()
  await details.getByText('orders').waitFor()
  expect(await details.innerText()).toContain('parent')
  expect(visit.faults).toEqual([])
})

/** A place that is painted, right of the labels, in CSS pixels. */
const PAINTED = `(() => {
  const canvas = document.querySelector('.heatmap canvas')
  const { width, height } = canvas
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height)
  for (let y = 6; y < height - 20; y += 12)
    for (let x = width - 2; x > 66; x -= 1) if (data[4 * (y * width + x) + 3] > 0) return { x, y }
})()`

test('a cell of the heatmap lists its requests', async () => {
  await using visit = await browser.visit(`${server.url}/ui/#/requests?last=300`)
  const { page } = visit
  const canvas = page.locator('.heatmap canvas')
  await canvas.waitFor()
  await expect.poll(() => page.evaluate(PAINTED)).toBeDefined()
  const position = (await page.evaluate(PAINTED)) as { x: number; y: number }
  await canvas.hover({ position })
  await page.getByText(/^\d+ of .* to .* at /).waitFor()
  await canvas.click({ position })
  await expect.poll(() => page.url()).toMatch(/cell=\d+_\d+/)
  await page.getByRole('button', { name: / to .* at .* ×/ }).waitFor()
  await page.getByRole('link', { name: /^GET / }).first().waitFor()
  expect(visit.faults).toEqual([])
})

test('the timeline goes by keys, keeps its place in the address, and has its spans as a table', async () => {
  await using visit = await browser.visit(`${server.url}/ui/#/timeline?p=${id}`)
  const { page } = visit
  await page.getByText(/\d+ spans/).waitFor()
  const inView = (): Promise<string> => page.getByRole('search').getByRole('status').innerText()
  const before = await inView()
  await page.keyboard.press('w')
  await page.keyboard.press('w')
  await expect.poll(() => page.url()).toMatch(/from=\d+&to=\d+/)
  const zoomed = await inView()
  expect(zoomed).not.toBe(before)
  await page.reload()
  await page.getByText(/\d+ spans/).waitFor()
  expect((await inView()).split(' in view')[0]).toBe(zoomed.split(' in view')[0])
  await page.getByRole('button', { name: 'All' }).click()
  await page.getByText('The longest spans in view').click()
  await page.getByRole('button', { name: 'GET /pay' }).first().click()
  await page.getByRole('complementary', { name: 'The selected span' }).waitFor()
  await page.getByRole('img', { name: 'chart' }).waitFor()
  expect(visit.faults).toEqual([])
})

test('a drag over the map of the timeline sets the range of the whole page', async () => {
  await using visit = await browser.visit(`${server.url}/ui/#/timeline?p=${id}`)
  const { page } = visit
  await page.getByText(/\d+ spans/).waitFor()
  const map = (await page.getByRole('img', { name: 'drag to choose' }).boundingBox())!
  await page.mouse.move(map.x + map.width * 0.2, map.y + 5)
  await page.mouse.down()
  await page.mouse.move(map.x + map.width * 0.9, map.y + 5, { steps: 5 })
  await page.mouse.up()
  await expect.poll(() => page.url()).toMatch(/from=\d+&to=\d+/)
  const range = /from=\d+&to=\d+/.exec(page.url())![0]
  await page.getByRole('link', { name: 'Logs' }).click()
  await page.locator('.log').first().waitFor()
  expect(page.url()).toContain(range)
  expect(await page.locator('.status').innerText()).toMatch(/ rows$/)
  expect(visit.faults).toEqual([])
})

test('a trace for Perfetto is downloaded, and handed over to its page alone', async () => {
  await using visit = await browser.visit(`${server.url}/ui/#/timeline?p=${id}`)
  const { page } = visit
  // Perfetto's page is somebody else's: here stands one that answers as it does.
  await page.context().route('https://ui.perfetto.dev/**', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<script>addEventListener('message', ({ data, source }) => {
        if (data === 'PING') source.postMessage('PONG', '*')
        else document.title = data.perfetto.title + ' ' + data.perfetto.buffer.byteLength
      })</script>`,
    }),
  )
  await page.getByText(/\d+ spans/).waitFor()
  await page.getByText('Perfetto', { exact: true }).click()
  const button = page.getByRole('button', { name: /^Download \d+ KiB/ })
  await button.waitFor()
  const [file] = await Promise.all([page.waitForEvent('download'), button.click()])
  expect(file.suggestedFilename()).toBe(`${id}.pftrace`)
  const { readFile } = await import('node:fs/promises')
  const trace = await readFile(await file.path())
  expect(trace.includes('GET /pay')).toBe(true)
  const [opened] = await Promise.all([
    page.context().waitForEvent('page'),
    page.getByRole('button', { name: 'Open in ui.perfetto.dev' }).click(),
  ])
  await expect.poll(() => opened.title()).toBe(`${id}.pftrace ${trace.length}`)
})

test('metrics by a property', async () => {
  await using visit = await browser.visit(`${server.url}/ui/#/metrics`)
  const { page } = visit
  await page.getByLabel('Names of metrics').fill('server.request')
  await page.getByLabel('Lines of http.server.request.duration by property').selectOption('http.route')
  await page.locator('.u-legend', { hasText: '/orders/:id' }).waitFor()
  expect(visit.faults).toEqual([])
})

test('SQL: completion, an error with its place, a result, an export', async () => {
  await using visit = await browser.visit(`${server.url}/ui/#/sql`)
  const { page } = visit
  const area = page.getByLabel('SQL', { exact: true })
  await area.fill('')
  await area.pressSequentially('SELECT count(*) AS n FROM log_ent')
  await page.locator('.completions').getByText('log_entries').waitFor()
  await page.keyboard.press('Tab')
  expect(await area.inputValue()).toBe('SELECT count(*) AS n FROM log_entries')
  await page.keyboard.press('Control+Enter')
  await page.getByText('1 row in').waitFor()
  expect(await page.getByRole('cell').first().innerText()).toMatch(/^\d+$/)
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'CSV' }).click(),
  ])
  const { readFile } = await import('node:fs/promises')
  expect(await readFile(await file.path(), 'utf8')).toMatch(/^n\r\n\d+\r\n$/)
  await area.fill('SELECT nothing_known FROM log_entries')
  await page.getByRole('button', { name: 'Run' }).click()
  await page.getByRole('alert').getByText('nothing_known').waitFor()
  expect(visit.faults).toEqual([])
})

test('everything is reached by keys', async () => {
  await using visit = await browser.visit(`${server.url}/ui/`)
  const { page } = visit
  await page.getByRole('columnheader', { name: 'program' }).waitFor()
  await page.keyboard.press('g')
  await page.keyboard.press('l')
  await page.locator('.log').first().waitFor()
  await page.keyboard.press('k')
  await page.getByRole('complementary', { name: 'The selected log' }).waitFor()
  await page.keyboard.press('?')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.keyboard.press('g')
  await page.keyboard.press('s')
  await page.getByLabel('SQL', { exact: true }).waitFor()
  expect(visit.faults).toEqual([])
})

test('a narrow window shows the rows, and nothing sticks out', async () => {
  await using visit = await browser.visit(`${server.url}/ui/#/logs`, { width: 420 })
  const { page } = visit
  await page.locator('.log').first().waitFor()
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(420)
})
