const express = require('express')

void import('./work.mjs').then(({ findUser, listening, pay }) => {
  const app = express()
  app.get('/users/:id', (request, response, next) => {
    findUser(request.params.id).then((user) => response.json(user), next)
  })
  app.get('/pay', () => pay())
  app.use((_error, _request, response, _next) => {
    response.status(500).end()
  })
  const server = app.listen(0, '127.0.0.1', () => listening(server))
})
