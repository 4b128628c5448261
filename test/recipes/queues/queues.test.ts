import { expect, test } from 'vitest'
import { Project } from '../support/project.ts'
import { questionsOf, Server } from '../support/server.ts'
import { type Broker, startRabbit, startRedis } from './brokers.ts'

interface Recipe {
  readonly name: string
  readonly start: () => Promise<Broker | undefined>
  readonly envOf: (broker: Broker) => Record<string, string>
  readonly consumer: string
  readonly sent: string
  readonly handled: string
  readonly failure: string
}

const RECIPES: readonly Recipe[] = [
  {
    name: 'bullmq',
    start: startRedis,
    envOf: ({ port }) => ({ REDIS_PORT: String(port) }),
    consumer: 'worker.mjs',
    sent: 'publish order',
    handled: 'process order',
    failure: 'UnrecoverableError',
  },
  {
    name: 'amqplib',
    start: startRabbit,
    envOf: ({ port }) => ({ AMQP_URL: `amqp://127.0.0.1:${port}` }),
    consumer: 'consumer.mjs',
    sent: 'publish orders',
    handled: 'process orders',
    failure: 'Error',
  },
]

test.for(RECIPES)(
  '$name: a message takes the trace to the worker, which ends in good order',
  async (recipe, { skip }) => {
    using project = await Project.install(recipe.name)
    await using broker = await recipe.start()
    if (broker === undefined) skip(`the broker of ${recipe.name} is not here and cannot be installed`)
    await using server = await Server.start()
    const env = { ...server.env, ...recipe.envOf(broker!) }
    const worker = project.node([recipe.consumer], env)
    await worker.printed(/: ready$/m)
    const producer = await project.node(['producer.mjs'], env).ended
    expect(producer.code, producer.output).toBe(0)
    await worker.printed(/: order 10$/m)
    worker.child.kill('SIGTERM')
    expect(await worker.ended).toMatchObject({ code: 143 })

    const [PRODUCER_ID] = await server.processes('producer.mjs')
    const [WORKER_ID] = await server.processes(recipe.consumer)
    const [pairs, logs] = questionsOf('queues', { PRODUCER_ID: PRODUCER_ID!, WORKER_ID: WORKER_ID! })
    const rows = await server.query(pairs!)
    expect(rows).toEqual(
      Array.from({ length: 10 }, (_, i) => ({
        order: String(i + 1),
        sent: recipe.sent,
        handled: recipe.handled,
        waited_ms: expect.any(Number),
        handling_ms: expect.any(Number),
        error: (i + 1) % 5 === 0 ? recipe.failure : null,
      })),
    )
    const traces = await server.query<{ trace: string }>(
      `SELECT property_get(properties, 'trace_id') AS trace FROM process_spans('${PRODUCER_ID}', 'async') WHERE target = 'orders' ORDER BY begin`,
    )
    expect(new Set(traces.map(({ trace }) => trace)).size).toBe(10)
    expect(await server.query(logs!.replace('TRACE_ID', traces[2]!.trace))).toEqual([
      { time: expect.anything(), exe: expect.stringContaining(recipe.consumer), msg: 'order 3' },
    ])
  },
)
