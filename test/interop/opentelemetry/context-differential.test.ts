import { EventEmitter } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { type Context, type ContextManager, createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { expect, test } from 'vitest'
import { MicromegasContextManager } from '../../../src/interop/opentelemetry/propagation/context-manager.ts'
import { outcomeOf } from './support/both.ts'

const key = createContextKey('test')
const one = ROOT_CONTEXT.setValue(key, 1)
const two = ROOT_CONTEXT.setValue(key, 2)
/** What breaks the types of the API. */
const odd = (value: unknown): never => value as never

/** What a context is, for the comparison of two managers. */
function shown(context: Context): unknown {
  if (context === ROOT_CONTEXT) return 'root'
  return context === one ? 'one' : context === two ? 'two' : context
}

type Case = (manager: ContextManager, active: () => unknown) => unknown
const cases: Record<string, Case> = {
  'enabling and disabling': (manager) => [manager.enable() === manager, manager.disable() === manager],
  nothing: (_, active) => active(),
  'with a context, and within it another': (manager, active) => {
    const seen: unknown[] = []
    manager.with(one, () => {
      seen.push(active())
      manager.with(two, () => seen.push(active()))
      seen.push(active())
    })
    return [...seen, active()]
  },
  'with undefined': (manager, active) => manager.with(one, () => manager.with(odd(undefined), active)),
  'with null': (manager, active) => manager.with(one, () => manager.with(odd(null), active)),
  'with a text': (manager, active) => [manager.with(odd('1'), active), active()],
  'with an object': (manager, active) => manager.with(odd({}), active),
  'with an object with a span that is none': (manager, active) => {
    const strange = trace.setSpan(ROOT_CONTEXT, odd({}))
    return manager.with(strange, () => active() === strange)
  },
  'this, arguments and the result': (manager) =>
    manager.with(
      one,
      function (this: unknown, ...args: unknown[]) {
        return [this, ...args]
      },
      odd('that'),
      ...(['a', 2] as unknown as []),
    ),
  'a function that throws': (manager, active) => {
    const throwing = (): never => {
      throw new Error('thrown')
    }
    let message = ''
    try {
      manager.with(one, throwing)
    } catch (error) {
      message = (error as Error).message
    }
    return [message, active()]
  },
  'no function': (manager) => manager.with(one, odd(undefined)),
  'an async function': async (manager, active) => {
    const seen: unknown[] = []
    const ended = manager.with(one, async () => {
      await turn()
      seen.push(active())
      await manager.with(two, async () => {
        await turn()
        seen.push(active())
      })
      seen.push(active())
    })
    seen.push(active())
    await ended
    return [...seen, active()]
  },
  'operations side by side': async (manager, active) => {
    const run = (context: Context, turns: number): Promise<unknown> =>
      manager.with(context, async () => {
        for (let i = 0; i < turns; i++) await turn()
        return active()
      })
    return Promise.all([run(one, 3), run(two, 1), run(odd('x'), 2)])
  },
  timers: async (manager, active) => {
    const later = (): Promise<unknown> => new Promise((resolve) => setTimeout(() => resolve(active()), 1))
    return Promise.all([manager.with(one, later), later(), manager.with(two, later)])
  },
  'with a context while disabled': async (manager, active) => {
    manager.disable()
    const seen = await manager.with(one, async () => {
      const before = active()
      await turn()
      return [before, active()]
    })
    return [seen, active()]
  },
  'a bound function': (manager, active) => {
    const bound = manager.bind(one, function (this: unknown, ...args: unknown[]) {
      return [active(), this, ...args]
    })
    return [bound.call('that', 1, 2), bound.length, active()]
  },
  'a bound function of several arguments': (manager) =>
    manager.bind(one, (_a: number, _b: number) => 1).length,
  'a bound function while disabled': (manager, active) => {
    manager.disable()
    return manager.bind(one, active)()
  },
  'a function bound to undefined': (manager, active) =>
    manager.with(one, () => manager.bind(odd(undefined), active)()),
  'what cannot be bound': (manager) =>
    [{ a: 1 }, 1, null, undefined, 'x'].map((value) => manager.bind(one, value)),
  'a bound emitter': async (manager, active) => {
    const emitter = new EventEmitter()
    const seen: unknown[] = [manager.bind(one, emitter) === emitter]
    emitter.on('test', () => seen.push(active()))
    emitter.once('test', async () => {
      await turn()
      seen.push(active())
    })
    seen.push(emitter.emit('test'), active(), emitter.emit('nobody'))
    await turn()
    await turn()
    return seen
  },
  'a bound emitter whose listeners are removed': (manager) => {
    const emitter = manager.bind(one, new EventEmitter())
    const listener = (): void => {}
    const counts: number[] = []
    for (const add of ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener'] as const) {
      for (const remove of ['off', 'removeListener', 'removeAllListeners'] as const) {
        emitter[add]('test', listener)
        counts.push(emitter.listenerCount('test'), emitter.listeners('test').length)
        if (remove === 'removeAllListeners') emitter.removeAllListeners()
        else emitter[remove]('test', listener)
        counts.push(emitter.listenerCount('test'))
      }
    }
    return counts
  },
  'a bound emitter bound again': (manager, active) => {
    const emitter = manager.bind(two, manager.bind(one, new EventEmitter()))
    let seen: unknown
    emitter.on('test', () => {
      seen = active()
    })
    emitter.emit('test')
    return seen
  },
  'a bound emitter while disabled': (manager, active) => {
    manager.disable()
    const emitter = manager.bind(one, new EventEmitter())
    let seen: unknown
    emitter.on('test', () => {
      seen = active()
    })
    emitter.emit('test')
    return seen
  },
}

test.each(Object.entries(cases))(
  'the context manager does for %s what OpenTelemetry’s own does',
  async (_, use) => {
    const run = async (manager: ContextManager): Promise<unknown> => {
      manager.enable()
      const outcome = await outcomeOf(() => use(manager, () => shown(manager.active())))
      manager.disable()
      return outcome
    }
    expect(await run(new MicromegasContextManager())).toEqual(
      await run(new AsyncLocalStorageContextManager()),
    )
  },
)

test.each([MicromegasContextManager, AsyncLocalStorageContextManager])(
  'two of %s do not influence each other',
  (Manager) => {
    const first = new Manager()
    const second = new Manager()
    first.with(one, () => {
      expect(second.active()).toBe(ROOT_CONTEXT)
      second.with(two, () => {
        expect(first.active()).toBe(one)
        expect(second.active()).toBe(two)
      })
    })
    const both = second.bind(
      two,
      first.bind(one, () => [first.active(), second.active()]),
    )
    expect(both()).toEqual([one, two])
    const emitter = second.bind(two, first.bind(one, new EventEmitter()))
    let seen: unknown[] = []
    emitter.on('test', () => {
      seen = [first.active(), second.active()]
    })
    emitter.emit('test')
    expect(seen).toEqual([one, two])
  },
)

test('a context is attached until its token is disposed of', async () => {
  const manager = new MicromegasContextManager()
  const active = (): unknown => shown(manager.active())
  expect(active()).toBe('root')
  const outer = manager.attach(one)
  expect(active()).toBe('one')
  const inner = manager.attach(two)
  expect(active()).toBe('two')
  manager.with(one, () => {
    expect(active()).toBe('one')
    const within = manager.attach(ROOT_CONTEXT)
    expect(active()).toBe('root')
    within.dispose()
    expect(active()).toBe('one')
  })
  expect(active()).toBe('two')
  inner.dispose()
  inner.dispose()
  expect(active()).toBe('one')
  await turn()
  expect(active()).toBe('one')
  expect(await Promise.resolve().then(active)).toBe('one')
  outer.dispose()
  expect(active()).toBe('root')
  manager.attach(odd(undefined)).dispose()
  expect(active()).toBe('root')
})

test('what is attached in one chain of calls is not seen in another', async () => {
  const manager = new MicromegasContextManager()
  const chain = (context: Context, turns: number): Promise<void> =>
    new Promise((resolve, reject) => {
      setImmediate(async () => {
        const token = manager.attach(context)
        for (let i = 0; i < turns; i++) await turn()
        try {
          expect(manager.active()).toBe(context)
          token.dispose()
          expect(manager.active()).toBe(ROOT_CONTEXT)
          resolve()
        } catch (error) {
          reject(error)
        }
      })
    })
  await Promise.all([chain(one, 3), chain(two, 1)])
  expect(manager.active()).toBe(ROOT_CONTEXT)
})

test('a context is attached while the manager is disabled, too', () => {
  const manager = new MicromegasContextManager()
  manager.disable()
  const token = manager.attach(one)
  expect(manager.active()).toBe(one)
  token.dispose()
  expect(manager.active()).toBe(ROOT_CONTEXT)
})
