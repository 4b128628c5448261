/**
 * What the server's page costs, beside its budgets: `npm run bench:page -- [--seconds 60] [--spans 100000] [--json FILE]`. Needs the
 * build, and Chromium (`CHROMIUM`, or where Debian has it).
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CDPSession, chromium, type Page } from 'playwright-core'
import { healthTimes } from '../server/health.ts'
import { MeasuredServer } from '../server/measured-server.ts'
import { numberOption, printTitle, readCommand, writeResult } from '../support/command.ts'
import type { Goal } from '../support/goal.ts'
import { formatLines, type Line } from '../support/line.ts'
import { benchPath } from '../support/measured-process.ts'
import { median, quantile } from '../support/statistics.ts'

const command = readCommand({ seconds: 'string', spans: 'string' })
const seconds = numberOption(command, 'seconds', 60)
const spanCount = numberOption(command, 'spans', 100_000)
const LOGS_PER_SECOND = 5000
const FRAMES = 40
const MILLION = 1_000_000
const MIB = 2 ** 20
const machine = printTitle(
  `The page: ${spanCount.toLocaleString('en')} spans, 1,000,000 logs and values, ${seconds} s of 5,000 logs a second`,
  command.node,
)

const lines: Line[] = []
const add = (label: string, figure: number, unit: string, atMost?: number): void => {
  const goal: Goal | undefined = atMost === undefined ? undefined : { atMost }
  lines.push({ section: 'The page', label, figure, unit, goal })
}

async function sizeOfAssets(): Promise<number> {
  const folder = benchPath('../server/dist/page/')
  const files = (await readdir(folder)).filter((name) => name.endsWith('.gz'))
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

type Metrics = Readonly<Record<string, number>>

async function metricsOf(session: CDPSession): Promise<Metrics> {
  const { metrics } = await session.send('Performance.getMetrics')
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]))
}

async function heapBytes(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage')
  return (await metricsOf(session)).JSHeapUsedSize!
}

const nextFrame = (page: Page): Promise<unknown> =>
  page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))')

async function measureTimeline(
  page: Page,
  url: string,
  id: string,
  what: string,
  [least, typical]: readonly [least: number, typical?: number],
): Promise<void> {
  await page.goto('about:blank')
  await page.goto(`${url}/ui/#/timeline?p=${id}&last=3600`)
  await page.getByText(/[\d,]+ spans/).waitFor({ timeout: 60_000 })
  for (let i = 0; i < FRAMES; i++) {
    await page.keyboard.press(i % 8 < 4 ? 'w' : 's')
    await nextFrame(page)
  }
  const paints = (await page.evaluate(
    `performance.getEntriesByName('micromegas.paint').map(({ duration }) => duration)`,
  )) as number[]
  add(`timeline of ${what}, script of a frame, least`, Math.min(...paints), 'ms', least)
  add(`timeline of ${what}, script of a frame, median`, median(paints), 'ms', typical)
}

async function measureLive(page: Page, server: MeasuredServer, session: CDPSession): Promise<void> {
  await page.goto(`${server.url}/ui/#/logs?last=3600&level=6`)
  await page.getByText('last hour').first().waitFor({ state: 'attached' })
  await page.waitForTimeout(3000)
  const before = await heapBytes(session)
  await page.evaluate(`window.longest = 0
    new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) longest = Math.max(longest, duration) })
      .observe({ type: 'longtask' })`)
  const recorded = LOGS_PER_SECOND * seconds
  await server.record('live-logs', recorded, LOGS_PER_SECOND)
  const shown = Math.min(50_000, recorded)
  await page.getByText(`${shown.toLocaleString('en')} rows`).waitFor({ timeout: 30_000 })
  await page.locator('.log', { hasText: `order ${recorded - 1} ` }).waitFor({ timeout: 10_000 })
  add('live logs, longest task of the page', (await page.evaluate('longest')) as number, 'ms', 100)
  add('live logs, growth of its heap', ((await heapBytes(session)) - before) / MIB, 'MiB', 30)
  const missed = await page.getByText('more came in a second').count()
  add('live logs, rows that came and were not shown', missed, '', 0)
  const elements = (await page.evaluate(`document.querySelectorAll('.virtual *').length`)) as number
  add('list of 50,000 rows, elements', elements, '', 400)
  const frames = await scrollCosts(page, session)
  add('list of 50,000 rows, script and layout of a frame, least', Math.min(...frames), 'ms', 4)
  add('list of 50,000 rows, script and layout of a frame, median', median(frames), 'ms')
}

/** What frames cost the page while its list is scrolled, in milliseconds. */
async function scrollCosts(page: Page, session: CDPSession): Promise<number[]> {
  const cost = ({ ScriptDuration, LayoutDuration, RecalcStyleDuration }: Metrics): number =>
    (ScriptDuration! + LayoutDuration! + RecalcStyleDuration!) * 1000
  const costs: number[] = []
  for (let i = 0; i < FRAMES; i++) {
    const before = cost(await metricsOf(session))
    await page.evaluate(`document.querySelector('.virtual').scrollTop -= 400`)
    await nextFrame(page)
    costs.push(cost(await metricsOf(session)) - before)
  }
  return costs
}

/** From the answer to a block until its row is seen, one by one. */
async function measureArrival(page: Page, server: MeasuredServer): Promise<void> {
  await page.goto('about:blank')
  await page.goto(`${server.url}/ui/#/logs?last=3600`)
  await page.locator('.log').first().waitFor({ timeout: 30_000 })
  await page.waitForTimeout(1000)
  // Both on the clock of this machine: when the service had the answer, and when the page has the row.
  await page.evaluate(`window.seen = new Map()
    new MutationObserver(() => {
      for (const { textContent } of document.querySelectorAll('.log')) {
        const [, n] = /single (\\d+) /.exec(textContent) ?? []
        if (n !== undefined && !seen.has(n)) seen.set(n, Date.now())
      }
    }).observe(document.body, { childList: true, subtree: true, characterData: true })`)
  const answered = await server.record('single-logs', FRAMES)
  await page.locator('.log', { hasText: `single ${FRAMES - 1} ` }).waitFor()
  const seen = new Map((await page.evaluate('[...seen]')) as [string, number][])
  const delays = answered.map((ms, i) => seen.get(String(i))! - ms)
  add('from the answer to a block until it is seen, 95 of 100', quantile(delays, 0.95), 'ms', 300)
}

async function measureFirst(page: Page, url: string): Promise<void> {
  await page.goto('about:blank')
  await page.goto(`${url}/ui/#/logs?last=3600`)
  await page.locator('.log').first().waitFor({ timeout: 30_000 })
  const first = (await page.evaluate(
    `performance.getEntriesByName('first-contentful-paint')[0].startTime - performance.getEntriesByType('navigation')[0].responseEnd`,
  )) as number
  add('first paint after the document, 1,000,000 logs stored', first, 'ms', 500)
}

/** Until a view shows what it was asked for. */
async function timeOf(page: Page, url: string, ready: () => Promise<unknown>): Promise<number> {
  await page.goto('about:blank')
  const begin = performance.now()
  await page.goto(url)
  await ready()
  return performance.now() - begin
}

async function measureViews(page: Page, { url }: MeasuredServer): Promise<void> {
  const word = await timeOf(page, `${url}/ui/#/logs?last=3600&search=platypus`, () =>
    page.locator('.log', { hasText: 'platypus' }).waitFor(),
  )
  add('a rare word in 1,000,000 logs, until the page shows it', word, 'ms', 4000)
  const series = await timeOf(page, `${url}/ui/#/metrics?last=3600`, () =>
    page.locator('.u-legend', { hasText: 'p99' }).first().waitFor(),
  )
  add('series of 1,000,000 values, until the page shows them', series, 'ms', 2000)
}

async function measureTrace(server: MeasuredServer, id: string): Promise<void> {
  let bytes = 0
  const { ms } = await server.measure(async () => {
    const begin = new Date(Date.now() - 3_600_000)
    for await (const { chunk_data } of server.client.queryRows(
      `SELECT chunk_data FROM perfetto_trace_chunks('${id}', 'both', timestamp '${begin.toISOString()}', timestamp '${new Date().toISOString()}')`,
      { begin, end: new Date() },
    ))
      bytes += (chunk_data as Uint8Array).length
  })
  add('trace for Perfetto', bytes / spanCount, 'bytes a span', 40)
  add('trace for Perfetto, until its last byte', ms * (100_000 / spanCount), 'ms for 100,000', 1500)
}

add('assets, compressed', (await sizeOfAssets()) / 1024, 'KiB', 120)
const dataDir = await mkdtemp(join(tmpdir(), 'bench-page-'))
const executablePath = process.env.CHROMIUM ?? process.env.MICROMEGAS_TEST_CHROMIUM ?? '/usr/bin/chromium'
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
try {
  await using server = await MeasuredServer.start(command.node, dataDir)
  const page = await browser.newPage({ viewport: { width: 1600, height: 900 } })
  let foreign = 0
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url) && !request.url().startsWith('about:')) foreign += 1
  })
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  await server.record('spans', spanCount)
  const { process_id: id } = await server.row('SELECT process_id FROM processes')
  await measureTimeline(page, server.url, String(id), `${spanCount.toLocaleString('en')} spans`, [3, 8])
  await measureTrace(server, String(id))
  await server.record('logs', MILLION)
  await server.record('measures', MILLION)
  const times = await healthTimes(server.url, async () => {
    await measureFirst(page, server.url)
    await measureViews(page, server)
    await measureLive(page, server, session)
  })
  add('/health while all of this runs, 99 of 100', quantile(times, 0.99), 'ms', 50)
  await measureArrival(page, server)
  await server.record('spans', MILLION)
  const { process_id: large } = await server.row(
    'SELECT process_id FROM processes ORDER BY start_time DESC LIMIT 1',
  )
  await measureTimeline(page, server.url, String(large), '1,000,000 spans', [6])
  add('requests to other hosts', foreign, '', 0)
} finally {
  await browser.close()
  await rm(dataDir, { recursive: true, force: true })
}
console.log(formatLines(lines))
writeResult(command.json, { machine, lines, details: [] })
