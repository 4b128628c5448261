import type { IncomingMessage, ServerResponse } from 'node:http'
import { readBody, startServer, type TestServer } from './http-server.ts'

export interface TokenRequest {
  readonly url: string
  readonly form: URLSearchParams
  readonly authorization: string | undefined
}

/** Answers one token request; `n` counts them from 1. */
export type TokenAnswer = (
  response: ServerResponse,
  n: number,
  request: IncomingMessage,
) => void | Promise<void>

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/** Issues `token-1`, `token-2`, … each valid for the given seconds. */
export function issues(expiresIn: unknown): TokenAnswer {
  return (response, n) =>
    json(response, 200, { access_token: `token-${n}`, token_type: 'Bearer', expires_in: expiresIn })
}

/** A token endpoint that answers what the test wants, faults included. */
export class TokenServer implements AsyncDisposable {
  readonly requests: TokenRequest[] = []
  /** What the next requests get; may be changed at any time. */
  answer: TokenAnswer
  #server: TestServer | undefined
  readonly #waiting: { readonly n: number; readonly resolve: () => void }[] = []

  constructor(answer: TokenAnswer) {
    this.answer = answer
  }

  static async start(answer: TokenAnswer): Promise<TokenServer> {
    const tokens = new TokenServer(answer)
    tokens.#server = await startServer(async (request, response) => {
      if (request.url === '/probe') {
        response.end()
        return
      }
      const form = new URLSearchParams(await readBody(request))
      tokens.requests.push({ url: request.url ?? '', form, authorization: request.headers.authorization })
      const n = tokens.requests.length
      for (const waiter of tokens.#waiting) if (waiter.n <= n) waiter.resolve()
      await tokens.answer(response, n, request)
    })
    return tokens
  }

  get origin(): string {
    return this.#server?.origin ?? ''
  }

  get tokenEndpoint(): string {
    return `${this.origin}/token`
  }

  /** The most requests that were answered at one time. */
  get maxActive(): number {
    return this.#server?.maxActive ?? 0
  }

  /** Resolves when the n-th request has come in, counted from 1. */
  requested(n: number): Promise<void> {
    if (this.requests.length >= n) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ n, resolve }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]()
  }
}
