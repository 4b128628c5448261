import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { describeTokenFailure } from '../../src/auth/oidc/token-failure.ts'

const ACTION = 'get a token from https://login.test'

function describeFailure(error: unknown) {
  return describeTokenFailure({ action: ACTION, error, answer: undefined, secrets: [], timeoutMs: 1000 })
}

test('a failure whose cause is of another realm is told by its code', () => {
  const cause = runInNewContext(
    'Object.assign(new Error("connect ECONNREFUSED 10.0.0.1:443"), { code: "ECONNREFUSED" })',
  )
  const told = describeFailure(new TypeError('fetch failed', { cause }))
  expect(told.message).toBe(`Cannot ${ACTION}: connect ECONNREFUSED 10.0.0.1:443`)
  expect(told.cause).toMatchObject({ message: 'fetch failed', cause: { code: 'ECONNREFUSED' } })
})

test('a syntax error of another realm is not quoted either', () => {
  const cause = runInNewContext('try { JSON.parse("tok3n") } catch (error) { error }')
  const told = describeFailure(new Error('bad answer', { cause }))
  expect(told.message).toBe(`Cannot ${ACTION}: bad answer`)
  expect((told.cause as Error).cause).toBeUndefined()
})
