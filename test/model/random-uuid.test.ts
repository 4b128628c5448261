import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { randomUuid } from '../../src/model/runtime/random-uuid.ts'

const UUID_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('ids are UUIDs of version 4, and no two are the same', () => {
  const ids = Array.from({ length: 1_000 }, randomUuid)
  for (const id of ids) expect(id).toMatch(UUID_4)
  expect(new Set(ids).size).toBe(ids.length)
})

test('every bit but the fixed ones is random', () => {
  const ids = Array.from({ length: 200 }, () => BigInt(`0x${randomUuid().replaceAll('-', '')}`))
  const always = ids.reduce((all, id) => all & id)
  const ever = ids.reduce((any, id) => any | id)
  expect(always).toBe(0x4000_8000_0000_0000_0000n)
  expect(ever).toBe(0xffffffff_ffff_4fff_bfff_ffffffffffffn)
})

test.runIf(existsSync('/dev/urandom'))('the first ones do without node:crypto', () => {
  const module = new URL('../../src/model/runtime/random-uuid.ts', import.meta.url).href
  const script = `
    const load = process.getBuiltinModule
    const asked = []
    process.getBuiltinModule = (name) => { asked.push(name); return load.call(process, name) }
    const { randomUuid } = await import(${JSON.stringify(module)})
    randomUuid()
    process.stdout.write(asked.join())`
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', script],
    { encoding: 'utf8' },
  )
  expect({ stdout, stderr }).toEqual({ stdout: 'node:fs', stderr: '' })
})
