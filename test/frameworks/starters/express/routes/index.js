const express = require('express')

const router = express.Router()
const work = import('../work.mjs')
router.get('/pay', async (_request, _response, next) => {
  const { pay } = await work
  try {
    pay()
  } catch (error) {
    next(error)
  }
})

module.exports = router
