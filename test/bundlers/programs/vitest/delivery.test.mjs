import * as micromegas from 'micromegas'
import { afterEach, test, vi } from 'vitest'
import recordInMemory from '../in-memory.cjs'
import recordAndShutDown from '../record.cjs'

afterEach(() => vi.useRealTimers())

test('what is recorded can be looked at', () => recordInMemory(micromegas))

test('what is recorded arrives', () => recordAndShutDown(micromegas))

test('it does so under fake timers', async () => {
  vi.useFakeTimers()
  await recordAndShutDown(micromegas)
})
