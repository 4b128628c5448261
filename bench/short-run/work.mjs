/** What a short run records, in steps between which the event loop turns, as a service's requests come. */

/** `logs` or `spans`, where to, and how many. */
export const [what, url, count] = [process.argv[2], process.argv[3], Number(process.argv[4])]
const STEP = 2_000

export const orderOf = (i) => [i, (i % 977) / 7]
export const asyncWork = async () => {}

/** @param recordOne - Of the number of the event. @param between - Called after each step. */
export async function inSteps(recordOne, between = nextTurn) {
  for (let i = 0; i < count; ) {
    for (const end = Math.min(count, i + STEP); i < end; i++) {
      const recorded = recordOne(i)
      if (recorded !== undefined) await recorded
    }
    await between()
  }
}

function nextTurn() {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Says what the whole process took so far, its threads included. */
export function sendCpu() {
  const { user, system } = process.cpuUsage()
  process.send({ cpuMs: (user + system) / 1000 })
  process.disconnect()
}
