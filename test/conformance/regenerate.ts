/**
 * Records the fixtures anew: what this SDK and the Rust SDK post, and what the Rust crates read in it.
 *
 *     npx tsx test/conformance/regenerate.ts
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { recordHere } from './record-here.ts'
import { type FixtureName, fixtureUrl, formatRecording, type RecordedRequest } from './recording.ts'
import { buildRust, decodeWithRust, encodeWithRust } from './rust.ts'

async function save(name: FixtureName, text: string): Promise<void> {
  const bytes = gzipSync(text, { level: 9 })
  await writeFile(fixtureUrl(name), bytes)
  console.log(`${name}: ${bytes.length} bytes`)
}

async function regenerate(sdk: 'node' | 'rust', requests: readonly RecordedRequest[]): Promise<void> {
  const decoded = await decodeWithRust(requests)
  await save(`${sdk}-sdk.requests`, formatRecording(requests))
  await save(`${sdk}-sdk.decoded`, decoded)
}

await buildRust()
await mkdir(new URL('./fixtures/', import.meta.url), { recursive: true })
await regenerate('rust', await encodeWithRust())
await regenerate('node', (await recordHere()).requests)
