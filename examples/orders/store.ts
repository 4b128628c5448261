import { setTimeout as sleep } from 'node:timers/promises'
import { asyncSpan, fmetric, logger, spanFn } from 'micromegas'

const log = logger('shop.store')
const queryTime = fmetric('query_time', 'ms', { target: 'shop.store' })

export interface Order {
  readonly id: number
  readonly sku: string
  readonly quantity: number
  readonly total: number
}

export class OutOfStockError extends Error {
  override readonly name = 'OutOfStockError'
}

/** Behaves as a database does: every query takes a while, and one in fifty fails. */
export class OrderStore {
  readonly #orders = new Map<number, Order>()
  readonly #prices = new Map([
    ['tea', 4.2],
    ['coffee', 9.9],
    ['mug', 14.5],
  ])
  #lastId = 0

  /** A method decorator: every call is an async span `OrderStore.insert`. */
  @spanFn
  async insert(sku: string, quantity: number): Promise<Order> {
    const price = await this.#query(`price of ${sku}`, () => this.#prices.get(sku))
    if (price === undefined) throw new OutOfStockError(`nothing is known of '${sku}'`)
    const order: Order = { id: ++this.#lastId, sku, quantity, total: price * quantity }
    await this.#query(`insert order ${order.id}`, () => this.#orders.set(order.id, order))
    return order
  }

  @spanFn
  async find(id: number): Promise<Order | undefined> {
    return this.#query(`find order ${id}`, () => this.#orders.get(id))
  }

  #query<T>(statement: string, answer: () => T): Promise<T> {
    return asyncSpan('query', async () => {
      const start = performance.now()
      await sleep(1 + Math.random() * 8)
      if (Math.random() < 0.02) throw new Error(`connection lost during ${statement}`)
      const elapsed = performance.now() - start
      queryTime.record(elapsed)
      log.debug`${statement}: ${elapsed.toFixed(1)} ms`
      return answer()
    })
  }
}
