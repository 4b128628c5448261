const record = require('./record.cjs')

module.exports = () =>
  record({
    micromegas: require('micromegas'),
    pinoBridge: require('micromegas/interop/pino'),
    winstonBridge: require('micromegas/interop/winston'),
    pino: require('pino'),
    winston: require('winston'),
  })
