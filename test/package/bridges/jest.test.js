/* global test */
test('the bridges record', require('./modules.cjs'))
