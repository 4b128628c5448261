import { execFile } from 'node:child_process'
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { captureCallSite, parseFrame, UNKNOWN_CALL_SITE } from '../../src/tracing/call-site.ts'
import { compileProgram } from './support/compile-program.ts'
import type { PlacesResult } from './support/places.ts'

describe('parseFrame', () => {
  test.each([
    ['    at parse (/app/dist/main.js:10:5)', '/app/dist/main.js', 10],
    ['    at /app/dist/main.js:10:5', '/app/dist/main.js', 10],
    ['    at async /app/dist/main.js:10:5', '/app/dist/main.js', 10],
    ['    at async load (/app/dist/main.js:10:5)', '/app/dist/main.js', 10],
    ['    at new Cart (/app/dist/cart.js:1:2)', '/app/dist/cart.js', 1],
    ['    at Object.price [as total] (/app/cart.js:3:4)', '/app/cart.js', 3],
    ['    at file:///app/a%20b/main.mjs:7:1', '/app/a b/main.mjs', 7],
    ['    at run (file:///app/main.mjs:7:1)', '/app/main.mjs', 7],
    ['    at page (/app/(shop)/page.tsx:12:3)', '/app/(shop)/page.tsx', 12],
    ['    at /home/me/app (copy)/main.js:12:3', '/home/me/app (copy)/main.js', 12],
    ['    at odd (name) (/app/main.js:1:2)', '/app/main.js', 1],
    ['    at load (/app/port:80/main.js:1:2)', '/app/port:80/main.js', 1],
    ['    at C:\\app\\main.js:5:6', 'C:\\app\\main.js', 5],
    ['    at run (C:\\app\\main.js:5:6)', 'C:\\app\\main.js', 5],
    ['    at run (\\\\server\\share\\main.js:5:6)', '\\\\server\\share\\main.js', 5],
    ['    at handler (webpack://shop/./src/cart.ts:9:1)', 'webpack://shop/./src/cart.ts', 9],
    ['    at handler (webpack-internal:///./src/cart.ts:9:1)', 'webpack-internal:///./src/cart.ts', 9],
    ['    at node:internal/main/run_main_module:28:49', 'node:internal/main/run_main_module', 28],
    ['    at /app/main.js:10', '/app/main.js', 10],
  ])('reads file and line of "%s"', (frame, file, line) => {
    expect(parseFrame(`Error: at the top (/not/this.js:1:1) of it\n${frame}`)).toEqual({ file, line })
  })

  test('passes over frames without a place, and over the helpers of compilers', () => {
    const stack = [
      'Error',
      '    at Array.map (<anonymous>)',
      '    at new Promise (<anonymous>)',
      '    at async Promise.all (index 0)',
      '    at eval (eval at run (/app/x.js:1:2), <anonymous>:1:1)',
      '    at __esDecorate (/app/dist/main.js:2:3)',
      '    at Object.__decorateElement (/app/dist/main.js:2:3)',
      '    at Cart (/app/dist/main.js:30:5)',
    ].join('\n')
    expect(parseFrame(stack)).toEqual({ file: '/app/dist/main.js', line: 30 })
  })

  test.each(['', 'Error: no frames', '    at <anonymous>', 'Error\n    at native'])(
    'knows no place for %j',
    (stack) => expect(parseFrame(stack)).toBe(UNKNOWN_CALL_SITE),
  )

  test('never gives a line that does not fit its 32 bits', () => {
    expect(parseFrame('    at /app/main.js:99999999999:1').line).toBe(2 ** 32 - 1)
  })
})

describe('captureCallSite', () => {
  function callee() {
    return captureCallSite(callee)
  }

  test('gives the place that called the function, and leaves stackTraceLimit as it was', () => {
    const limit = Error.stackTraceLimit
    const place = callee()
    expect(place.file).toBe(fileURLToPath(import.meta.url))
    expect(place.line).toBeGreaterThan(60)
    expect(Error.stackTraceLimit).toBe(limit)
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('host')
      },
    ],
    ['gives no text', () => ({ stack: 'none' })],
    ['gives undefined', () => undefined],
  ])('gives no place where the host has a prepareStackTrace that %s', (_, prepare) => {
    const original = Error.prepareStackTrace
    try {
      Error.prepareStackTrace = prepare
      expect(callee()).toBe(UNKNOWN_CALL_SITE)
    } finally {
      Error.prepareStackTrace = original
    }
  })
})

const PLACES = fileURLToPath(new URL('./support/places.ts', import.meta.url))

describe.each([
  // esbuild renames a class that has decorated static methods.
  ['esbuild', '_Cart'],
  ['typescript', 'Cart'],
] as const)('the place of a span in code compiled by %s', (compiler, className) => {
  let directory = ''

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'places-'))
    await compileProgram(PLACES, { outDir: directory, decorators: compiler })
  })

  afterAll(() => rm(directory, { recursive: true, force: true }))

  async function run(flags: readonly string[]): Promise<PlacesResult> {
    const env = { ...process.env, NODE_OPTIONS: '' }
    const program = join(directory, 'places.mjs')
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, program], { env })
    return JSON.parse(stdout) as PlacesResult
  }

  test('is that of the source where Node applies source maps, for every way to make a span', async () => {
    const lines = (await readFile(PLACES, 'utf8')).split('\n')
    const expected = Object.fromEntries(
      lines.flatMap((line, i) => {
        const mark = /\/\/ (?<where>at|below): (?<name>.*)$/.exec(line)?.groups
        const offset = mark?.where === 'below' ? 2 : 1
        return mark === undefined
          ? []
          : [[mark.name!.replace(/^Cart(?=\.of$)/, className), { file: PLACES, line: i + offset }]]
      }),
    )
    expect(Object.keys(expected).length).toBe(11)
    expect(await run(['--enable-source-maps'])).toEqual(expected)
  })

  test('is that of the compiled file where it does not', async () => {
    const places = await run([])
    const compiled = (await readFile(join(directory, 'places.mjs'), 'utf8')).split('\n')
    for (const name of ['plain', 'async', 'by hand', 'defined', 'named']) {
      const { file, line } = places[name]!
      expect(file).toBe(await realpath(join(directory, 'places.mjs')))
      expect(compiled[line - 1]).toContain(name)
    }
  })
})
