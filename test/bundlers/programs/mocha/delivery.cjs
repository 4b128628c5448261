const micromegas = require('micromegas')
const sinon = require('sinon')
const recordInMemory = require('../in-memory.cjs')
const recordAndShutDown = require('../record.cjs')

afterEach(() => sinon.restore())

it('what is recorded can be looked at', () => recordInMemory(micromegas))

it('what is recorded arrives', () => recordAndShutDown(micromegas))

it('it does so with everything faked', async () => {
  sinon.useFakeTimers()
  await recordAndShutDown(micromegas)
})
