import type { DecoratedRequest, RequestDecorator } from '../../../src/auth/request-decorator.ts'

export function uploadRequest(url = 'http://127.0.0.1:9000/ingestion/insert_block'): DecoratedRequest {
  return { method: 'POST', url: new URL(url), headers: new Headers(), body: new Uint8Array([1, 2, 3]) }
}

/** Decorates a fresh request and gives its Authorization header. */
export async function authorizationOf(
  decorator: RequestDecorator,
  signal: AbortSignal = AbortSignal.timeout(10_000),
): Promise<string | null> {
  const request = uploadRequest()
  await decorator.decorate(request, signal)
  return request.headers.get('authorization')
}

/** What the promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('expected a rejection')
}

/** A clock that the test moves, in milliseconds. */
export class TestClock {
  ms = 1_000
  readonly now = (): number => this.ms

  advance(ms: number): void {
    this.ms += ms
  }
}
