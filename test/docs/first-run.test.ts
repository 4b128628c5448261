import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startServer } from '../../server/src/index.ts'
import { freePort } from '../support/free-port.ts'
import { readSamples } from './samples.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

async function printed(child: ChildProcess, text: string): Promise<void> {
  let seen = ''
  for await (const chunk of child.stdout!) {
    seen += chunk
    if (seen.includes(text)) return
  }
  throw new Error(`the service ended, and printed only: ${seen}`)
}

test('the first sample of the README does what the README says', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'micromegas-first-run-'))
  await using server = await startServer({ port: 0, temporary: true, disableAuth: true })
  try {
    const port = await freePort()
    const sample = readSamples(root).find(({ place }) => place.startsWith('README.md'))!
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir')
    writeFileSync(join(folder, 'package.json'), '{}') // else one above the folder counts
    writeFileSync(join(folder, 'service.mjs'), sample.code.replace('listen(8000)', `listen(${port})`))
    const env = { ...process.env, MICROMEGAS_TELEMETRY_URL: server.url, MICROMEGAS_FLUSH_PERIOD: '1' }
    const child = spawn(process.execPath, ['--import', 'micromegas/register', 'service.mjs'], {
      cwd: folder,
      env,
    })
    const exited = once(child, 'exit')
    await printed(child, 'listening on port')
    expect(await (await fetch(`http://127.0.0.1:${port}/a`)).text()).toBe('hello\n')
    child.kill('SIGTERM')
    expect(await exited).toEqual([143, null])
    const logs = await server.reader.logEntries({ target: 'shop.*', order: 'oldest' })
    expect(logs.rows.map(({ msg }) => msg)).toEqual(['listening on port 8000', 'GET /a answered'])
    const measures = await server.reader.measures({ name: 'request_latency' })
    expect(measures.rows).toHaveLength(1)
    const spans = await server.reader.spans({})
    expect(spans.rows.map(({ name }) => name).sort()).toEqual(['GET', 'request'])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
