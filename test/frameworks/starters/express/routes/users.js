const express = require('express')

const router = express.Router()
const work = import('../work.mjs')
router.get('/:id', async (request, response) => {
  const { findUser } = await work
  response.json(await findUser(request.params.id))
})

module.exports = router
