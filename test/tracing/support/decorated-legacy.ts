/**
 * A program of methods decorated as `experimentalDecorators` has it, whose behaviour it prints. Where a span's place is
 * expected, the line says so. With `reflect-metadata` on the command line, decorators leave metadata as NestJS's do.
 */
import { spanFn } from '../../../src/tracing/spans/span-fn.ts'
import { runDecorated } from './decorated-run.ts'

interface MetadataReflect {
  defineMetadata?(key: string, value: unknown, target: object): void
  getMetadata?(key: string, target: object): unknown
}

const reflect = Reflect as MetadataReflect

/** Says where a method is found, on the function, as NestJS's `@Get()` does. */
function route(path: string): MethodDecorator {
  return (_target, _key, descriptor) => {
    reflect.defineMetadata?.('path', path, descriptor.value as object)
  }
}

/** Does nothing with what the decorators return, as NestJS's `applyDecorators`. */
function all(...decorators: readonly MethodDecorator[]): MethodDecorator {
  return (target, key, descriptor) => {
    for (const decorator of decorators) decorator(target, key, descriptor)
  }
}

function routeOf(method: object): unknown {
  return reflect.getMetadata?.('path', method)
}

const LOCKED = Symbol('locked')

class Cart {
  readonly #items: number[]

  constructor(items: number[]) {
    this.#items = items
  }

  @spanFn
  total(factor: number, offset = 0): number {
    return this.#items.reduce((sum, item) => sum + item, 0) * factor + offset
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

  /** An async span where the compiler leaves word of the return type, a thread span elsewhere. */
  @spanFn
  declared(): Promise<number> {
    return Promise.resolve(this.#items.length)
  }

  @spanFn('fails') // at: fails
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

  @spanFn
  [LOCKED](): boolean {
    return false
  }

  @spanFn
  @route('/above')
  above(): string {
    return 'above'
  }

  @route('/below')
  @spanFn
  below(): string {
    return 'below'
  }

  @all(spanFn, route('/combined'))
  combined(): string {
    return 'combined'
  }

  @spanFn
  static empty(): Cart {
    return new Cart([])
  }

  @spanFn()
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
    await cart.declared(),
    Cart.empty() instanceof Cart,
    Cart.prototype.total.name,
    Cart.prototype.total.length,
    cart.size,
  ]
  cart.first = 7
  outcomes.push(cart.total(1), cart[LOCKED](), Cart.currency, cart.above(), cart.below(), cart.combined())
  outcomes.push(routeOf(Cart.prototype.above) ?? null, routeOf(Cart.prototype.below) ?? null)
  try {
    cart.fails()
  } catch (error) {
    outcomes.push((error as Error).message)
  }
  return outcomes
})
