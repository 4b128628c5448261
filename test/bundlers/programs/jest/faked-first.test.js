jest.useFakeTimers()
const micromegas = require('micromegas')
const recordAndShutDown = require('../record.cjs')

test('what is recorded arrives, though the timers were faked before the package was loaded', () =>
  recordAndShutDown(micromegas))
