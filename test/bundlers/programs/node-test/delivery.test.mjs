import { test } from 'node:test'
import * as micromegas from 'micromegas'
import recordInMemory from '../in-memory.cjs'
import recordAndShutDown from '../record.cjs'

test('what is recorded can be looked at', () => recordInMemory(micromegas))

test('what is recorded arrives', () => recordAndShutDown(micromegas))

test('it does so with mocked timers', async (context) => {
  context.mock.timers.enable()
  await recordAndShutDown(micromegas)
})
