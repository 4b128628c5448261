import { createHash } from 'node:crypto'
import {
  interpolateInferno,
  interpolateMagma,
  interpolatePlasma,
  interpolateViridis,
} from 'd3-scale-chromatic'
import type { ScalarDefinition } from '../tables/database-types.ts'
import { formatChrono, parseChrono } from './chrono.ts'
import { type JsonPath, parseJsonPath, selectJson } from './jsonb/json-path.ts'
import { formatJson, type Json, parseJson } from './jsonb/json-value.ts'
import { decodeJsonb, encodeJsonb } from './jsonb/jsonb.ts'
import { parseTimestampText } from './plan/expression/temporal-text.ts'

/** An error of a value in the words of the reference; `exec:` and `arrow:` say which kind of error it is there. */
function fail(text: string): never {
  throw new Error(text)
}

const COLORS: Readonly<Record<string, (t: number) => string>> = {
  viridis: interpolateViridis,
  magma: interpolateMagma,
  plasma: interpolatePlasma,
  inferno: interpolateInferno,
  // Polynomials of their authors (Nuñez, Anderton, Renslow 2018; Mikhailov 2019), cut to whole numbers as there.
  cividis: (t) =>
    rgb(
      -4.54 - t * (35.34 - t * (2381.73 - t * (6402.7 - t * (7024.72 - t * 2710.57)))),
      32.49 + t * (170.73 + t * (52.82 - t * (131.46 - t * (176.58 - t * 67.37)))),
      81.24 + t * (442.36 - t * (2482.43 - t * (6167.24 - t * (6614.94 - t * 2475.67)))),
    ),
  turbo: (t) =>
    rgb(
      34.61 + t * (1172.33 - t * (10793.56 - t * (33300.12 - t * (38394.49 - t * 14825.05)))),
      23.31 + t * (557.33 + t * (1225.33 - t * (3574.96 - t * (1073.77 + t * 707.56)))),
      27.2 + t * (3211.1 - t * (15327.97 - t * (27814.0 - t * (22569.18 - t * 6838.66)))),
    ),
}

function rgb(...channels: readonly number[]): string {
  return `rgb(${channels.map((channel) => Math.trunc(Math.min(255, Math.max(0, channel)))).join(', ')})`
}

const toByte = (x: number): number => Math.trunc(Math.min(255, Math.max(0, x * 255 + 0.5)))

function colorScale(name: string, t: number, alpha: number): number {
  const scale = COLORS[name.toLowerCase()]
  if (scale === undefined) {
    fail(`exec:color_scale(): unknown colormap '${name}'. Recognized: ${Object.keys(COLORS).join(', ')}`)
  }
  const at = Math.fround(Math.min(1, Math.max(0, t)))
  const text = scale(at)
  const hex = /^#([0-9a-f]{6})$/.exec(text)?.[1]
  const [r, g, b] =
    hex === undefined
      ? text.match(/\d+/g)!.map(Number)
      : [0, 2, 4].map((from) => Number.parseInt(hex.slice(from, from + 2), 16))
  return ((r! << 24) | (g! << 16) | (b! << 8) | toByte(alpha)) >>> 0
}

function levenshtein(a: string, b: string): number {
  const [x, y] = [[...a], [...b]]
  let previous = Array.from({ length: y.length + 1 }, (_, i) => i)
  for (let i = 1; i <= x.length; i++) {
    const current = [i]
    for (let j = 1; j <= y.length; j++) {
      const replaced = previous[j - 1]! + (x[i - 1] === y[j - 1] ? 0 : 1)
      current.push(Math.min(replaced, previous[j]! + 1, current[j - 1]! + 1))
    }
    previous = current
  }
  return previous[y.length]!
}

function digest(bytes: Uint8Array, method: string): Uint8Array {
  const name = { blake2s: 'blake2s256', blake2b: 'blake2b512' }[method] ?? method
  if (name === 'blake3') fail('exec:digest: blake3 is not available on this server')
  return createHash(name).update(bytes).digest()
}

const paths = new Map<string, JsonPath>()
const MAX_PATHS = 1_000

function pathOf(text: string, name: string): JsonPath {
  let path = paths.get(text)
  if (path === undefined) {
    try {
      path = parseJsonPath(text)
    } catch (error) {
      fail(`exec:${name}: invalid JSONPath '${text}': ${(error as Error).message}`)
    }
    if (paths.size >= MAX_PATHS) paths.clear()
    paths.set(text, path)
  }
  return path
}

function select(json: string, path: string, name: string): Json[] {
  return selectJson(parseJson(json) ?? null, pathOf(path, name))
}

/** What the database has no function for. */
export const JS_FUNCTIONS: readonly ScalarDefinition[] = [
  {
    name: 'mm_jsonb_parse',
    parameters: ['VARCHAR'],
    returns: 'VARCHAR',
    call: (text: string) => {
      const value = parseJson(text)
      return value === undefined ? null : formatJson(value)
    },
  },
  {
    name: 'mm_jsonb_bytes',
    parameters: ['VARCHAR'],
    returns: 'BLOB',
    call: (text: string) => encodeJsonb(text),
  },
  {
    name: 'mm_jsonb_text',
    parameters: ['BLOB'],
    returns: 'VARCHAR',
    call: (bytes: Uint8Array) => decodeJsonb(bytes) ?? fail('exec:invalid JSONB'),
  },
  {
    name: 'mm_json_path_first',
    parameters: ['VARCHAR', 'VARCHAR'],
    returns: 'VARCHAR',
    call: (json: string, path: string) => {
      const [first] = select(json, path, 'jsonb_path_query_first')
      return first === undefined ? null : formatJson(first)
    },
  },
  {
    name: 'mm_json_path_all',
    parameters: ['VARCHAR', 'VARCHAR'],
    returns: 'VARCHAR',
    call: (json: string, path: string) => formatJson(select(json, path, 'jsonb_path_query')),
  },
  { name: 'mm_digest', parameters: ['BLOB', 'VARCHAR'], returns: 'BLOB', call: digest },
  {
    name: 'mm_levenshtein',
    parameters: ['VARCHAR', 'VARCHAR'],
    returns: 'BIGINT',
    call: (a: string, b: string) => BigInt(levenshtein(a, b)),
  },
  {
    name: 'mm_color_scale',
    parameters: ['VARCHAR', 'DOUBLE', 'DOUBLE'],
    returns: 'UINTEGER',
    call: colorScale,
  },
  {
    name: 'mm_format_time',
    parameters: ['BIGINT', 'VARCHAR'],
    returns: 'VARCHAR',
    call: (ns: bigint, format: string) => formatChrono(ns, format) ?? fail('arrow:Cast error: Format error'),
  },
  {
    name: 'mm_parse_time_as',
    parameters: ['VARCHAR', 'VARCHAR[]'],
    returns: 'BIGINT',
    call: (text: string, formats: readonly string[]) => {
      for (const format of formats) {
        const ns = parseChrono(text, format)
        if (ns !== undefined) return ns
      }
      return fail(`exec:Error parsing timestamp from '${text}' using formats: ${JSON.stringify(formats)}`)
    },
  },
  {
    name: 'mm_strict_time',
    parameters: ['VARCHAR'],
    returns: 'BIGINT',
    call: (text: string) =>
      parseTimestampText(text) ??
      fail(`arrow:Parser error: Error parsing timestamp from '${text}': error parsing date`),
  },
]
