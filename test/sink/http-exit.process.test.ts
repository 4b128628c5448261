import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Ending, endProgram } from './support/ending.ts'
import { type Service, startService } from './support/service.ts'

const end = (
  service: Service | string,
  scenario: object,
  env?: NodeJS.ProcessEnv,
  flags?: readonly string[],
): Promise<Ending> => endProgram(typeof service === 'string' ? service : service.url, scenario, env, flags)

const ids = (service: Service): number => new Set(service.of('block').map(({ id }) => id)).size

test.each([
  ['exit', 0],
  ['throw', 1],
  ['reject', 1],
  ['end', 0],
] as const)(
  'a process that ends by "%s" in its first turn delivers everything and keeps its exit code %i',
  async (how, code) => {
    await using service = await startService()
    const ending = await end(service, { how, blocks: 30 })
    expect(ending).toMatchObject({ code, delivered: 30, dropped: 0, pending: 0 })
    expect(ids(service)).toBe(30)
    const first = service.requests.slice(0, 3).map(({ insert }) => insert) // three run at once
    expect(first.sort()).toEqual(['block', 'process', 'stream'])
  },
)

test.each(['exit', 'throw', 'reject'])(
  'so does one that ends by "%s" later, with requests under way',
  async (how) => {
    await using service = await startService()
    const ending = await end(service, { how, blocks: 30, afterMs: 1 })
    expect(ending).toMatchObject({ delivered: 60, dropped: 0, pending: 0 })
    expect(ids(service)).toBe(60)
  },
)

test('blocks of many megabytes are delivered too', async () => {
  await using service = await startService()
  const ending = await end(service, { how: 'exit', blocks: 8, bytes: 5_000_000 })
  expect(ending).toMatchObject({ delivered: 8, dropped: 0 })
  expect(service.of('block').every(({ body }) => body.length > 5_000_000)).toBe(true)
})

test('an exit with nothing left starts no thread', async () => {
  await using service = await startService()
  const ending = await end(service, { how: 'exit', blocks: 0 })
  expect(ending).toMatchObject({ code: 0, delivered: 0, threads: 0 })
})

test('an exit takes no longer than its time when the server never answers, and says what was lost', async () => {
  await using service = await startService(() => undefined)
  const ending = await end(service, { how: 'exit', timeoutMs: 500, requestTimeoutMs: 3_600_000 })
  expect(ending).toMatchObject({ code: 0, delivered: 0, dropped: 5, pending: 0 })
  expect(ending.tookMs).toBeGreaterThan(450)
  expect(ending.errors).toContain('50 events were not delivered before the shutdown')
})

test('an exit with no time at all counts what is left and returns', async () => {
  await using service = await startService()
  const ending = await end(service, { how: 'exit', timeoutMs: 0 })
  expect(ending).toMatchObject({ code: 0, delivered: 0, dropped: 5, threads: 0 })
  expect(service.requests).toEqual([])
})

test('an exit while the server is down ends in its time', async () => {
  const service = await startService()
  const { url } = service
  await service.close()
  const ending = await end(url, { how: 'exit', timeoutMs: 500 })
  expect(ending).toMatchObject({ code: 0, delivered: 0, dropped: 5 })
})

test('what fails for passing reasons at the exit is tried again within its time', async () => {
  let failures = 6
  await using service = await startService((_request, response) => {
    if (failures-- <= 0) return 200
    if (failures % 2 === 0) return 503
    response.socket?.resetAndDestroy()
    return undefined
  })
  expect(await end(service, { how: 'exit', blocks: 10 })).toMatchObject({ delivered: 10, dropped: 0 })
})

test('what the server refuses at the exit is counted as refused', async () => {
  await using service = await startService(({ insert }) => (insert === 'block' ? 400 : 200))
  const ending = await end(service, { how: 'exit', blocks: 10 })
  expect(ending).toMatchObject({ delivered: 0, dropped: 10 })
  expect(ending.errors).toContain('100 events were refused at the end of the process')
  expect(service.of('block')).toHaveLength(10)
})

test('one request that is never answered does not take the time of the others', async () => {
  let stuck = ''
  await using service = await startService(({ insert, id }) => {
    if (insert === 'block') stuck ||= id
    return id === stuck ? undefined : 200
  })
  expect(await end(service, { how: 'exit', blocks: 20, timeoutMs: 700 })).toMatchObject({
    delivered: 19,
    dropped: 1,
  })
})

test('a request that hangs when the end comes is sent again, not waited for', async () => {
  let hang = true
  await using service = await startService(({ insert, index }) => {
    if (insert === 'block' && index > 8) hang = false
    return insert === 'block' && hang && index > 6 ? undefined : 200
  })
  const ending = await end(service, { how: 'exit', blocks: 5, afterMs: 50, requestTimeoutMs: 60_000 })
  expect(ending).toMatchObject({ delivered: 10, dropped: 0 })
})

test('a decorator that answers at once signs the last requests itself', async () => {
  await using service = await startService(({ headers }) =>
    headers.authorization === 'Bearer now' ? 200 : 401,
  )
  expect(await end(service, { how: 'exit', token: 'sync' })).toMatchObject({ delivered: 5 })
})

test('an asynchronous decorator that does not wait does so too', async () => {
  await using service = await startService(({ headers }) =>
    headers.authorization === 'Bearer later' ? 200 : 401,
  )
  expect(await end(service, { how: 'exit', token: 'async-late' })).toMatchObject({ delivered: 5 })
})

test('of a decorator that has to wait, the last known credentials are used', async () => {
  await using service = await startService(({ headers }) =>
    headers.authorization === 'Bearer later' ? 200 : 401,
  )
  expect(await end(service, { how: 'exit', token: 'async', afterMs: 1 })).toMatchObject({
    delivered: 10,
    dropped: 0,
  })
})

test('a preload or a loader of the host is not run again in the thread', async () => {
  await using service = await startService()
  const preload = join(tmpdir(), `preload-${process.pid}.cjs`)
  writeFileSync(preload, `require('node:fs').writeSync(1, 'preloaded ')`)
  const ending = await end(service, { how: 'exit' }, { NODE_OPTIONS: `--require ${preload}` })
  expect(ending).toMatchObject({ code: 0, delivered: 5 })
  expect(ending.output.match(/preloaded/g)?.length).toBe(1)
})

test.each(['100 Continue', '102 Processing', '103 Early Hints'])(
  'interim answers (%s) to the last requests are passed over, in whatever packets they come',
  async (interim) => {
    await using service = await startService((_request, response) => {
      const { socket } = response
      const bytes = Buffer.from(`HTTP/1.1 ${interim}\r\nx: y\r\n\r\n`.repeat(3))
      socket?.setNoDelay(true)
      for (const byte of bytes) socket?.write(Buffer.of(byte))
      return 200
    })
    expect(await end(service, { how: 'exit' })).toMatchObject({ code: 0, delivered: 5, dropped: 0 })
  },
)

test('it works at the end of a worker thread', async () => {
  await using service = await startService()
  const ending = await end(service, { how: 'exit', inWorker: true })
  expect(ending).toMatchObject({ code: 0, delivered: 5, dropped: 0 })
})

test('a program that goes on afterwards ends as soon as it is done', async () => {
  await using service = await startService()
  expect(await end(service, { how: 'go-on', timeoutMs: 3_600_000 })).toMatchObject({ code: 0, delivered: 5 })
})

test.each([2 ** 31 - 1, 2 ** 31, 1e300, 1500.5])(
  'a limit of %d ms delivers, and is not waited for',
  async (timeoutMs) => {
    await using service = await startService()
    const ending = await end(service, { how: 'exit', timeoutMs })
    expect(ending).toMatchObject({ code: 0, delivered: 5, dropped: 0, pending: 0 })
    expect(ending.errors).not.toContain('Overflow')
  },
)
