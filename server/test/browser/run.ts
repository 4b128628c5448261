/**
 * Tries the page in a browser: `npm run test:page`. Needs Chromium, from `CHROMIUM` or the path; on Debian as root it is
 * installed. Without it the run says so and ends well.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const PLACES = [
  process.env.CHROMIUM ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

function find(): string | undefined {
  return PLACES.find((path) => path !== '' && existsSync(path))
}

function install(): void {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return
  console.log('installing chromium …')
  const apt = (...args: readonly string[]): boolean =>
    spawnSync('apt-get', args, {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0
  const get = (): boolean => apt('install', '-y', '--no-install-recommends', 'chromium')
  if (!get() && apt('update')) get()
}

if (find() === undefined) install()
const chromium = find()
if (chromium === undefined) {
  console.log('no Chromium here: the page is not tried in a browser (its pure parts are, in npm test)')
  process.exit(0)
}
const vitest = fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url))
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', '--config', 'vitest.page.config.ts', ...process.argv.slice(2)],
  {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    stdio: 'inherit',
    env: { ...process.env, MICROMEGAS_TEST_CHROMIUM: chromium },
  },
)
process.exit(status ?? 1)
