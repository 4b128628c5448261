/**
 * An ingestion server that reads requests, answers 200 and forgets: it takes as little of the machine as can be. It keeps
 * what describes processes and streams, and the first and latest blocks, for the benchmark to see that they are right.
 */
import { createServer } from 'node:http'

const KEPT_BLOCKS = 4

const stats = { requests: 0, blocks: 0, blockBytes: 0, maxBlockBytes: 0 }
const metadata = []
const firstBlocks = []
const lastBlocks = []

const server = createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    count(request.url, Buffer.concat(chunks))
    response.writeHead(200).end()
  })
})
server.keepAliveTimeout = 60_000

function count(path, body) {
  stats.requests++
  if (!path.endsWith('/insert_block')) {
    metadata.push({ path, body })
    return
  }
  stats.blocks++
  stats.blockBytes += body.byteLength
  stats.maxBlockBytes = Math.max(stats.maxBlockBytes, body.byteLength)
  if (firstBlocks.length < KEPT_BLOCKS) {
    firstBlocks.push({ path, body })
  } else {
    lastBlocks.push({ path, body })
    if (lastBlocks.length > KEPT_BLOCKS) lastBlocks.shift()
  }
}

process.on('message', () => {
  process.send({ stats, kept: [...metadata, ...firstBlocks, ...lastBlocks] })
})
process.on('disconnect', () => process.exit())
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
