import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LoginProvider, startLoginProvider } from '../auth/support/login-provider.ts'
import { enterCode, ScriptedBrowser } from '../auth/support/scripted-browser.ts'
import { commandLine, environment, home, runCommand } from './support/run-command.ts'

let provider: LoginProvider
beforeAll(async () => {
  provider = await startLoginProvider()
})
afterAll(() => provider[Symbol.asyncDispose]())

const env = (): Record<string, string> => ({
  MICROMEGAS_OIDC_ISSUER: provider.issuer,
  MICROMEGAS_OIDC_CLIENT_ID: 'cli',
})

interface LoginRun {
  readonly text: string
  readonly code: number | null
}

/** Runs `micromegas login`, and does what a person does once it shows how. */
async function logIn(
  flags: readonly string[],
  shown: RegExp,
  act: (found: readonly string[]) => Promise<unknown>,
): Promise<LoginRun> {
  const [command, ...args] = commandLine(['micromegas', 'login', ...flags])
  const child = spawn(command, args, { env: environment(env()), stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  let acted: Promise<unknown> | undefined
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const found = shown.exec(text)
      if (found !== null) acted ??= act(found)
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  await acted
  return { text, code }
}

const byBrowser = (): Promise<LoginRun> =>
  logIn(['--no-browser'], /\n {2}(http:\S+)\n/, ([, address]) =>
    new ScriptedBrowser().logIn(address!, 'alice'),
  )

const byCode = (): Promise<LoginRun> =>
  logIn(['--device'], /open (http:\S+) .* the code (\S+)\n/, ([, address, code]) =>
    enterCode(`${address}?user_code=${code}`, 'alice'),
  )

test.each([
  ['a browser', byBrowser],
  ['a code on another device', byCode],
])('a person logs in by %s, is known from then on, and logs out', async (_, logInBy) => {
  const file = join(home, '.micromegas', 'tokens.json')
  const { text, code } = await logInBy()
  expect(code).toBe(0)
  expect(text.split('\n').slice(-2)).toEqual([
    `Logged in as alice@example.com. The tokens are in ${file}`,
    '',
  ])
  const known = await runCommand(['micromegas', 'whoami'], { env: env() })
  expect(known).toMatchObject({ code: 0, stderr: '' })
  expect(known.stdout).toMatch(
    /^alice@example\.com at http:\/\/\S+\nThe token expires at \S+Z and is renewed by itself\.\n$/,
  )
  expect(known.stdout).toContain(provider.issuer)
  const out = await runCommand(['micromegas_logout'], { env: env() })
  expect(out).toEqual({ code: 0, stdout: `Tokens cleared from ${file}\n`, stderr: '' })
  expect(await runCommand(['micromegas', 'whoami'], { env: env() })).toMatchObject({ code: 3, stdout: '' })
})
