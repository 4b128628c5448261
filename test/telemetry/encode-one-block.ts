import { createTelemetryEncoder } from '../../src/telemetry/encoder.ts'
import { LOG_BLOCK, PROCESS } from './worked-examples.ts'

/** Run as a process of its own, in which the native LZ4 library cannot be loaded. */
const encoder = createTelemetryEncoder()
const objects = Buffer.alloc(100_000, 'the same again ')
const body = Buffer.from(await encoder.encodeBlock({ ...LOG_BLOCK, objects }, PROCESS))
console.log(JSON.stringify({ error: (await encoder.compressionError)?.message, bytes: body.length }))
