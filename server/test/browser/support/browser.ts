import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'

export interface Visit extends AsyncDisposable {
  readonly page: Page
  /** What the page asked of other hosts, and where its policy was violated: both stay empty. */
  readonly faults: string[]
}

export interface VisitOptions {
  readonly scheme?: 'light' | 'dark'
  readonly width?: number
  readonly height?: number
  /** Of the browser, such as `Asia/Tokyo`. @defaultValue this machine's */
  readonly timeZone?: string
}

/** A browser for the tests of a file. */
export function useBrowser(): { visit(url: string, options?: VisitOptions): Promise<Visit> } {
  let browser: Browser
  beforeAll(async () => {
    const executablePath = process.env.MICROMEGAS_TEST_CHROMIUM
    if (executablePath === undefined) throw new Error('these tests are started by npm run test:page')
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  })
  afterAll(() => browser?.close())
  return {
    async visit(url, { scheme = 'light', width = 1280, height = 800, timeZone } = {}) {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: scheme,
        ...(timeZone !== undefined && { timezoneId: timeZone }),
        acceptDownloads: true,
        permissions: ['clipboard-read', 'clipboard-write'],
      })
      const page = await context.newPage()
      const faults: string[] = []
      const { host } = new URL(url)
      page.on('request', (request) => {
        // Going to another page is a person's doing, and that page asks for what it likes.
        if (request.isNavigationRequest()) return
        const [target, asking] = [new URL(request.url()), new URL(request.frame().url())]
        if (asking.host === host && target.protocol !== 'blob:' && target.host !== host) {
          faults.push(`request to ${target.host}`)
        }
      })
      page.on('pageerror', (error) => faults.push(`error: ${error.stack ?? error.message}`))
      page.on('console', (message) => {
        if (/content security policy|trusted ?types?/i.test(message.text())) faults.push(message.text())
      })
      await page.goto(url)
      return { page, faults, [Symbol.asyncDispose]: () => context.close() }
    },
  }
}
