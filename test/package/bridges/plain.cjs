require('./modules.cjs')()
