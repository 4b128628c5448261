import { Bench } from 'tinybench'

/**
 * @typedef {object} Task
 * @property {string} id
 * @property {number} batch Operations of one sample: enough to take about a millisecond.
 * @property {(count: number) => void | Promise<void>} run Does the operation `count` times.
 * @property {boolean} [async] Whether `run` returns a promise.
 */

/**
 * Measures tasks in interleaved rounds: every round takes one sample of each, so that whatever slows the machine down
 * for a while slows all of them, and ratios within a round hold. Rounds go through the tasks in alternating order.
 *
 * @param {readonly Task[]} tasks
 * @param {{ rounds: number, warmupRounds: number }} plan
 * @returns {Promise<{ samples: Record<string, number[]>, operations: Record<string, number> }>} Nanoseconds per operation
 * by task and round, and how often each operation ran, warm-up included.
 */
export async function measureRounds(tasks, { rounds, warmupRounds }) {
  const bench = new Bench({ time: 0, iterations: 1, warmup: false, retainSamples: true, throws: true })
  const operations = {}
  for (const { id, batch, run, async = false } of tasks) {
    operations[id] = 0
    const sample = async
      ? async () => {
          await run(batch)
          operations[id] += batch
        }
      : () => {
          run(batch)
          operations[id] += batch
        }
    bench.add(id, sample, { async })
  }
  const samples = Object.fromEntries(tasks.map(({ id }) => [id, []]))
  for (let round = -warmupRounds; round < rounds; round++) {
    for (const task of round % 2 === 0 ? tasks : tasks.toReversed()) {
      const measured = await takeSample(bench.getTask(task.id), task.async === true)
      if (round >= 0) samples[task.id].push((measured * 1e6) / task.batch)
    }
  }
  return { samples, operations }
}

/** Milliseconds of one batch. */
async function takeSample(task, isAsync) {
  task.reset()
  if (isAsync) await task.run()
  else task.runSync()
  return task.result.latency.min
}

/** Reads the plan from the arguments of a measured process: rounds, warm-up rounds. */
export function readPlan([rounds, warmupRounds] = process.argv.slice(2)) {
  return { rounds: Number(rounds), warmupRounds: Number(warmupRounds) }
}
