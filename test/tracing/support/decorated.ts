/** A program of methods decorated as the standard has it, whose behaviour it prints. */
import { spanFn } from '../../../src/tracing/spans/span-fn.ts'
import { runDecorated } from './decorated-run.ts'

class Cart {
  readonly #items: number[]

  constructor(items: number[]) {
    this.#items = items
  }

  @spanFn
  total(factor: number, offset = 0): number {
    return this.#sum() * factor + offset
  }

  @spanFn
  #sum(): number {
    return this.#items.reduce((sum, item) => sum + item, 0)
  }

  @spanFn
  async checkout(): Promise<string> {
    await null
    return `paid ${this.total(1)}`
  }

  @spanFn({ name: 'pay later', target: 'shop', async: true })
  promise(): Promise<number> {
    return Promise.resolve(this.#items.length)
  }

  @spanFn('fails')
  fails(): never {
    throw new Error('refused')
  }

  @spanFn
  get size(): number {
    return this.#items.length
  }

  @spanFn
  set first(item: number) {
    this.#items[0] = item
  }

  get first(): number {
    return this.#items[0]!
  }

  @spanFn
  static empty(): Cart {
    return new Cart([])
  }

  @spanFn
  static get currency(): string {
    return 'EUR'
  }
}

class GiftCart extends Cart {
  override total(factor: number): number {
    return super.total(factor) + 1
  }
}

await runDecorated(async () => {
  const cart = new Cart([1, 2, 3])
  const outcomes: unknown[] = [
    cart.total(10),
    cart.total(10, 5),
    new GiftCart([5]).total(2),
    await cart.checkout(),
    await cart.promise(),
    Cart.empty() instanceof Cart,
    Cart.prototype.total.name,
    Cart.prototype.total.length,
    cart.size,
  ]
  cart.first = 7
  outcomes.push(cart.first, Cart.currency)
  try {
    cart.fails()
  } catch (error) {
    outcomes.push((error as Error).message)
  }
  return outcomes
})
