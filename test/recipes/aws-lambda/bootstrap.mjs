// A custom runtime as AWS documents it: asks for an invocation, runs the handler, answers, and asks again.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`
const [file, name] = process.env._HANDLER.split('.')
const { [name]: handler } = await import(pathToFileURL(join(process.env.LAMBDA_TASK_ROOT, `${file}.mjs`)))

for (;;) {
  const next = await fetch(`${api}/invocation/next`)
  const event = await next.json()
  const id = next.headers.get('lambda-runtime-aws-request-id')
  const deadline = Number(next.headers.get('lambda-runtime-deadline-ms'))
  const context = {
    awsRequestId: id,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  }
  const [path, body] = await handler(event, context).then(
    (result) => ['response', result],
    (error) => ['error', { errorMessage: error.message, errorType: error.name }],
  )
  await fetch(`${api}/invocation/${id}/${path}`, { method: 'POST', body: JSON.stringify(body) })
}
