/** Routers of Express that are mounted at paths with parameters, within each other. */
const express = require('express')

const team = express.Router({ mergeParams: true })
const member = express.Router({ mergeParams: true })
const settings = express.Router()
member.get('/', (request, response) => response.json(request.params))
member.get('/posts/:post', (request, response) => response.json(request.params))
member.get('/fails', () => {
  throw new Error('on purpose')
})
settings.get('/:key', (request, response) => response.json(request.params))
team.use('/members/:member', member)
team.use('/settings', settings)
team.get('/:page', (request, response) => response.json(request.params))

const app = express()
app.use((_request, _response, next) => next())
app.use('/teams/:team', team)
app.use(
  ['/a/:x', '/b/:x'],
  express.Router().get('/there', (_request, response) => response.end()),
)
app.use((_error, _request, response, _next) => {
  response.status(500).end()
})
const server = app.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`))
process.once('SIGTERM', () => server.close(() => process.exit()))
