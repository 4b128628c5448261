const { join } = require('node:path')

const output = (folder) => ({ path: join(__dirname, 'out', folder), filename: 'app.cjs' })

module.exports = [
  { mode: 'production', target: 'node', entry: './app.mjs', output: output('webpack') },
  { mode: 'development', devtool: false, target: 'node', entry: './app.cjs', output: output('webpack-dev') },
]
