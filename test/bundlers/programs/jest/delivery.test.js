const micromegas = require('micromegas')
const recordInMemory = require('../in-memory.cjs')
const recordAndShutDown = require('../record.cjs')

afterEach(() => jest.useRealTimers())

test('what is recorded can be looked at', () => recordInMemory(micromegas))

test('what is recorded arrives', () => recordAndShutDown(micromegas))

test('it does so under fake timers', async () => {
  jest.useFakeTimers()
  await recordAndShutDown(micromegas)
})
