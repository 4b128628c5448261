import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { logger } from '../../../src/tracing/logs/logger.ts'
import { type LoginProvider, startLoginProvider } from '../../../test/auth/support/login-provider.ts'
import { withService } from '../../../test/support/telemetry-service.ts'
import type { MicromegasServer } from '../../src/index.ts'
import { startServer } from '../support/server.ts'
import { useBrowser } from './support/browser.ts'

const browser = useBrowser()
const KEY = 'mmk_0123456789abcdef0123456789abcdef'
const REDIRECT_URI = 'http://127.0.0.1/ui/'

/** A server whose page offers a login at each provider, with a log in it. */
async function serverFor(...providers: readonly LoginProvider[]): Promise<MicromegasServer> {
  const server = await startServer({
    apiKeys: [{ name: 'service', key: KEY }],
    oidc: { issuers: providers.map(({ issuer }) => ({ issuer, audience: 'cli' })) },
    pageLogin: providers.map(({ issuer }) => ({ issuer, clientId: 'cli' })),
  })
  await withService(server.url, () => logger('shop').info('hello'), { apiKey: KEY })
  return server
}

const hostOf = ({ issuer }: LoginProvider): string => new URL(issuer).host

/** What a person does on the pages of the provider. */
async function logIn(page: Page, provider: LoginProvider): Promise<void> {
  await page.getByRole('button', { name: `Log in with ${hostOf(provider)}` }).click()
  await page.locator('input[name=login]').fill('ada')
  await page.locator('input[name=password]').fill('any')
  await page.locator('button[type=submit]').click()
  await page.getByRole('button', { name: 'Continue' }).click()
}

test('a person logs in, sees the view that was asked for, and logs out', async () => {
  await using provider = await startLoginProvider({ redirectUri: REDIRECT_URI })
  await using server = await serverFor(provider)
  const shown = `${server.url}/ui/#/logs?level=5`
  await using visit = await browser.visit(shown)
  const { page } = visit
  await logIn(page, provider)
  await page.locator('.log', { hasText: 'hello' }).waitFor()
  expect(page.url()).toBe(shown)
  expect(await page.getByRole('button', { name: 'Log out' }).getAttribute('title')).toContain(
    'ada@example.com',
  )
  // The tab keeps the login, and the history keeps no code.
  await page.reload()
  await page.locator('.log', { hasText: 'hello' }).waitFor()
  await page.goBack()
  expect(page.url()).not.toContain('code=')
  await page.goForward()
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('heading', { name: 'A key is needed' }).waitFor()
  expect(visit.faults).toEqual([])
})

test('of several issuers one is chosen; who says no is told so, as text', async () => {
  await using one = await startLoginProvider({ redirectUri: REDIRECT_URI })
  await using other = await startLoginProvider({ redirectUri: REDIRECT_URI })
  await using server = await serverFor(one, other)
  await using visit = await browser.visit(`${server.url}/ui/#/logs`)
  const { page } = visit
  await page.getByRole('button', { name: `Log in with ${hostOf(one)}` }).click()
  await page.getByRole('link', { name: 'Cancel' }).click()
  await page.getByRole('alert').filter({ hasText: 'access_denied' }).waitFor()
  expect(page.url()).toBe(`${server.url}/ui/#/logs`)
  await logIn(page, other)
  await page.locator('.log', { hasText: 'hello' }).waitFor()
  expect(visit.faults).toEqual([])
})

test('a token is refreshed before it ends; when that is refused, the page asks again', async () => {
  // A minute before its end a token is refreshed: these are at once.
  await using provider = await startLoginProvider({ redirectUri: REDIRECT_URI, idTokenSeconds: 59 })
  await using server = await serverFor(provider)
  await using visit = await browser.visit(`${server.url}/ui/#/logs`)
  const { page } = visit
  await logIn(page, provider)
  await page.locator('.log', { hasText: 'hello' }).waitFor()
  await expect
    .poll(() => provider.grants.filter((grant) => grant === 'refresh_token').length)
    .toBeGreaterThan(1)
  provider.tokenFault = () => 400
  await page.getByRole('alert').filter({ hasText: 'The login has ended' }).waitFor()
  await page.getByRole('heading', { name: 'A key is needed' }).waitFor()
  expect(visit.faults).toEqual([])
})

test('an answer that this tab did not ask for is no login, and leaves the address', async () => {
  await using provider = await startLoginProvider({ redirectUri: REDIRECT_URI })
  await using server = await serverFor(provider)
  const hostile = encodeURIComponent('<img src=x onerror=alert(1)>')
  await using visit = await browser.visit(
    `${server.url}/ui/?error=x&error_description=${hostile}&state=1#/sql`,
  )
  const { page } = visit
  await page.getByRole('alert').filter({ hasText: 'this tab did not begin that login' }).waitFor()
  expect(new URL(page.url()).search).toBe('')
  expect(provider.grants).toEqual([])
  expect(visit.faults).toEqual([])
})
