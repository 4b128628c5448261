import { setTimeout as sleep } from 'node:timers/promises'

const GAP_MS = 10

/** How long `/health` takes while something runs, in milliseconds. */
export async function healthTimes(url: string, work: () => Promise<unknown>): Promise<number[]> {
  let working = true
  const done = Promise.allSettled([work()]).then(([outcome]) => {
    working = false
    if (outcome.status === 'rejected') throw outcome.reason
  })
  done.catch(() => undefined) // thrown below
  const times: number[] = []
  while (working) {
    const begin = performance.now()
    const { status } = await fetch(`${url}/health`)
    if (status !== 200) throw new Error(`Cannot measure: /health answered ${status}`)
    times.push(performance.now() - begin)
    await sleep(GAP_MS)
  }
  await done
  return times
}
