/**
 * What the server's page costs, beside its budgets: `npm run bench:page -- [--seconds 60] [--spans 100000] [--json FILE]`. Needs the
 * build, and Chromium (`CHROMIUM`, or where Debian has it).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { startServer } from 'micromegas-server'
import { type CDPSession, chromium, type Page } from 'playwright-core'
import { numberOption, printTitle, readCommand, writeResult } from '../support/command.ts'
import { formatGoal, formatVerdict, type Goal } from '../support/goal.ts'
import { formatNumber, formatTable } from '../support/table.ts'

const command = readCommand({ seconds: 'string', spans: 'string' })
const seconds = numberOption(command, 'seconds', 60)
const spanCount = numberOption(command, 'spans', 100_000)
const machine = printTitle(`The page: ${spanCount} spans, ${seconds} s of 5,000 logs a second`, command.node)
const LOGS_PER_SECOND = 5000
const FRAMES = 40

interface Row {
  readonly label: string
  readonly figure: number
  readonly unit: string
  readonly goal?: Goal | undefined
}
const rows: Row[] = []
const add = (label: string, figure: number, unit: string, atMost?: number): void => {
  rows.push({ label, figure, unit, goal: atMost === undefined ? undefined : { atMost } })
}

async function record(url: string, ...args: readonly string[]): Promise<void> {
  const script = fileURLToPath(new URL('recorder.mjs', import.meta.url))
  const env = { ...process.env, MICROMEGAS_TELEMETRY_URL: url }
  const child = spawn(command.node, [script, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`Cannot record ${args.join(' ')}: it ended with code ${code}`)
}

function sizeOfAssets(): number {
  const folder = fileURLToPath(new URL('../../server/dist/page/', import.meta.url))
  const files = readdirSync(folder).filter((name) => name.endsWith('.gz'))
  return files.reduce((sum, name) => sum + statSync(folder + name).size, 0)
}

async function heapBytes(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage')
  const { metrics } = (await session.send('Performance.getMetrics')) as {
    metrics: readonly { name: string; value: number }[]
  }
  return metrics.find(({ name }) => name === 'JSHeapUsedSize')!.value
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

async function measureTimeline(page: Page, url: string, id: string): Promise<void> {
  await page.goto(`${url}/ui/#/timeline?p=${id}&last=3600`)
  await page.getByText(/[\d,]+ spans/).waitFor({ timeout: 60_000 })
  for (let i = 0; i < FRAMES; i++) {
    await page.keyboard.press(i % 8 < 4 ? 'w' : 's')
    await page.evaluate(
      'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))',
    )
  }
  const paints = (await page.evaluate(
    `performance.getEntriesByName('micromegas.paint').map(({ duration }) => duration)`,
  )) as number[]
  add('timeline, script of a frame, least', Math.min(...paints), 'ms', 3)
  add('timeline, script of a frame, median', median(paints), 'ms', 8)
}

async function measureLive(page: Page, server: { readonly url: string }, session: CDPSession): Promise<void> {
  await page.goto(`${server.url}/ui/#/logs?last=3600`)
  await page.getByText('last hour').first().waitFor({ state: 'attached' })
  await page.waitForTimeout(3000)
  const before = await heapBytes(session)
  await page.evaluate(`window.longest = 0
    new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) longest = Math.max(longest, duration) })
      .observe({ type: 'longtask' })`)
  await record(server.url, 'logs', String(LOGS_PER_SECOND), String(seconds))
  const recorded = LOGS_PER_SECOND * seconds
  const shown = Math.min(50_000, recorded)
  await page.getByText(`${shown.toLocaleString('en')} rows`).waitFor({ timeout: 30_000 })
  const last = page.locator('.log', { hasText: `order ${recorded - 1} ` })
  await last.waitFor({ timeout: 10_000 })
  const missed = await page.getByText('more came in a second').count()
  add('live, longest task of the page', (await page.evaluate('longest')) as number, 'ms', 100)
  add('live, growth of its heap', ((await heapBytes(session)) - before) / 2 ** 20, 'MiB', 30)
  add('live, rows that came and were not shown', missed, '', 0)
  add(
    'list of 50,000 rows, elements',
    (await page.evaluate(`document.querySelectorAll('.virtual *').length`)) as number,
    '',
    400,
  )
}

async function measureFirst(page: Page, url: string): Promise<void> {
  await page.goto('about:blank')
  await page.goto(`${url}/ui/#/logs?last=3600`)
  await page.locator('.log').first().waitFor({ timeout: 30_000 })
  const first = (await page.evaluate(
    `performance.getEntriesByName('first-contentful-paint')[0].startTime - performance.getEntriesByType('navigation')[0].responseEnd`,
  )) as number
  add('first paint after the document, with all of that stored', first, 'ms', 500)
}

add('assets, compressed', sizeOfAssets() / 1024, 'KiB', 120)
const server = await startServer({ port: 0, flightPort: 0, temporary: true, disableAuth: true })
const executablePath = process.env.CHROMIUM ?? process.env.MICROMEGAS_TEST_CHROMIUM ?? '/usr/bin/chromium'
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
try {
  const page = await browser.newPage({ viewport: { width: 1600, height: 900 } })
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  await record(server.url, 'spans', String(spanCount))
  const [process_] = await server.query('SELECT process_id FROM processes')
  await measureTimeline(page, server.url, String(process_!.process_id))
  await measureLive(page, server, session)
  await measureFirst(page, server.url)
} finally {
  await browser.close()
  await server.close()
}
console.log(
  formatTable(
    ['', 'figure', 'unit', 'budget', ''],
    rows.map(({ label, figure, unit, goal }) => [
      label,
      formatNumber(figure),
      unit,
      formatGoal(goal),
      formatVerdict(figure, goal),
    ]),
  ),
)
writeResult(command.json, {
  machine,
  lines: rows.map((row) => ({ section: 'The page', ...row })),
  details: [],
})
