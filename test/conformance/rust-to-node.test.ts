import { beforeAll, expect, test } from 'vitest'
import { decodeHere } from './decode-here.ts'
import { type Decoded, parseDecoded } from './decoded.ts'
import type { RecordedRequest } from './recording.ts'
import { buildRust, decodeWithRust, encodeWithRust } from './rust.ts'

let requests: readonly RecordedRequest[]
let rust: Decoded

beforeAll(async () => {
  await buildRust()
  requests = await encodeWithRust()
  rust = parseDecoded(await decodeWithRust(requests))
})

test('the readers of this package read what the Rust SDK sends as the Rust crates do, member by member', () => {
  expect(rust.errors).toEqual([])
  expect(decodeHere(requests)).toEqual(rust)
})
