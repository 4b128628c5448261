const { test } = require('node:test')

test('the bridges record', require('./modules.cjs'))
