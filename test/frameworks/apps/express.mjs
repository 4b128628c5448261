import express from 'express'
import { findUser, listening, pay } from './work.mjs'

const app = express()
const users = express.Router()
users.get('/:id', async (request, response) => {
  response.json(await findUser(request.params.id))
})
app.use('/users', users)
app.get('/pay', () => pay())
app.use((_error, _request, response, _next) => {
  response.status(500).end()
})
const server = app.listen(0, '127.0.0.1', () => listening(server))
