/** Values that throw, recurse or swell when they are looked at; each is made anew at each use. */
export const HOSTILE_VALUES: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  'a symbol': () => Symbol('s'),
  'a bigint': () => 2n ** 80n,
  NaN: () => Number.NaN,
  'negative zero': () => -0,
  'a lone surrogate': () => '\ud800',
  NUL: () => '\0',
  'an anonymous function': () => () => 1,
  'a function whose name is a symbol': () => Object.defineProperty(() => 1, 'name', { value: Symbol('n') }),
  'a class whose name throws': () => Object.defineProperty(class {}, 'name', { get: () => throwing('name') }),
  'an object without prototype': () => Object.assign(Object.create(null), { a: 1 }),
  'a cycle': () => {
    const cycle: unknown[] = []
    cycle.push({ cycle })
    return cycle
  },
  'a throwing getter': () => ({
    get secret(): string {
      throw new Error('not yours')
    },
  }),
  'a throwing toString': () => ({
    toString(): string {
      throw new Error('no text')
    },
  }),
  'a toString that gives no text': () => ({ toString: () => ({}), valueOf: () => ({}) }),
  'a throwing toJSON': () => ({
    toJSON(): string {
      throw new Error('no json')
    },
  }),
  'an invalid date': () => new Date(Number.NaN),
  'an object that poses as a date': () => Object.create(Date.prototype),
  'an object that poses as bytes': () => Object.create(Uint8Array.prototype),
  'an error whose members throw': () =>
    Object.defineProperties(new Error('x'), {
      stack: { get: () => throwing('stack') },
      name: { get: () => throwing('name') },
      message: { get: () => throwing('message') },
      cause: { get: () => throwing('cause') },
    }),
  'an error whose message is a regular expression': () => Object.assign(new Error('x'), { message: /x/ }),
  'an error whose name is a symbol': () => Object.assign(new Error('x'), { name: Symbol('n') }),
  'an error that causes itself': () => {
    const error = new Error('again')
    error.cause = error
    return error
  },
  'a proxy that refuses everything': () =>
    new Proxy({}, new Proxy({}, { get: (_, trap) => () => throwing(String(trap)) }) as ProxyHandler<object>),
  'a proxied array that refuses its prototype': () =>
    new Proxy([], { getPrototypeOf: () => throwing('getPrototypeOf') }),
  'a revoked proxy': () => revoked({}),
  'a revoked function': () => revoked(() => 1),
  'an object that holds a revoked proxy': () => ({ inner: revoked({}), after: 1 }),
  'a proxied byte array': () => new Proxy(new Uint8Array(4), {}),
  'an endless iterable': () => Object.assign(new Map([[1, 1]]), { [Symbol.iterator]: endless }),
  'a sparse array': () => new Array(2 ** 32 - 1),
  'an object of many keys': () => Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, i])),
  'a deep object': () => {
    let deep: unknown = 1
    for (let i = 0; i < 50_000; i++) deep = [deep]
    return deep
  },
  'a text of 10 MB': () => 'x'.repeat(10_000_000),
  'an object of 10 MB': () => Array.from({ length: 100 }, () => 'y'.repeat(100_000)),
}

function throwing(what: string): never {
  throw new Error(`no ${what}`)
}

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

function* endless(): Generator<number> {
  for (let i = 0; ; i++) yield i
}
