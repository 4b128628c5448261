// Reads the million rows with the built package: node measure.mjs MODE PORT QUERIES. Sends what it measured.
import { FlightSQLClient } from '../../dist/query.js'

const [mode, port, queries] = process.argv.slice(2)
const client = new FlightSQLClient(`grpc://127.0.0.1:${port}`)

function cpu() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function check(rows, total) {
  if (rows !== 1_000_000 || total !== 249_999_750_000) throw new Error(`wrong answer: ${rows} rows, ${total}`)
}

const asked = {
  /** Batches, with the sum of one column. */
  async batches() {
    let [rows, total] = [0, 0]
    for await (const batch of client.queryStream('rows 1')) {
      rows += batch.numRows
      const values = batch.column('value').values
      for (let i = 0; i < values.length; i++) total += values[i]
    }
    check(rows, total)
  },
  /** Every row an object, all in memory. */
  async rows() {
    const { rows } = await client.query('rows 1')
    let total = 0
    for (const row of rows) total += row.value
    check(rows.length, total)
  },
  /** Every row an object, one after the other. */
  async stream() {
    let [rows, total] = [0, 0]
    for await (const row of client.queryRows('rows 1')) {
      rows++
      total += row.value
    }
    check(rows, total)
  },
}

async function memory() {
  const rss = []
  let rows = 0
  for await (const row of client.queryRows('rows 10')) {
    if (row.level > 6) throw new Error('wrong answer')
    if (++rows % 250_000 === 0) rss.push(process.memoryUsage.rss())
  }
  if (rows !== 10_000_000) throw new Error(`wrong answer: ${rows} rows`)
  return rss
}

if (mode === 'memory') process.send({ rss: await memory() })
else {
  const seconds = []
  for (let i = 0; i < Number(queries); i++) {
    const before = cpu()
    await asked[mode]()
    seconds.push(cpu() - before)
  }
  process.send({ seconds, process: cpu() })
}
await client.close()
process.disconnect()
