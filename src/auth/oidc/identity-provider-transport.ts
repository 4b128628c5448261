import type { CustomFetch } from 'openid-client'
import { withoutTracing } from '../../http/clients/suppress-tracing.ts'
import { isCleartext } from '../../http/transport-security.ts'
import { waitFor } from '../../http/wait-for.ts'
import { platformClock } from '../../model/runtime/clock.ts'
import { Secret } from '../secret.ts'
import type { IdentityProviderFetch, IdentityProviderResponse } from './oidc-options.ts'

/** Token answers are a few KiB and discovery documents some 10; a captive portal may send anything. */
const MAX_ANSWER_BYTES = 1024 * 1024

/** What the provider answered last: the status and what is safe and useful to tell about it. */
export interface ProviderAnswer {
  readonly status: number
  /** Without its parameters. */
  readonly mediaType: string | undefined
  readonly retryAfter: string | undefined
  /** The answer's own `Date` header. */
  readonly date: string | undefined
  /** Origin and path of where a redirect leads. */
  readonly location: string | undefined
  /** RFC 6749 section 5.2, from the body of any answer that has no token in it. */
  readonly error: string | undefined
  readonly errorDescription: string | undefined
}

const WORDS: Readonly<Record<ExchangeError['kind'], string>> = {
  timeout: 'no answer came in time',
  status: 'the answer has an unexpected status',
  'too-large': 'the answer is too large',
  cleartext: 'the request would be sent unencrypted',
}

/** Stands for the failures that are found here rather than by the HTTP client. */
export class ExchangeError extends Error {
  override readonly name: string = 'ExchangeError'
  readonly kind: 'timeout' | 'status' | 'too-large' | 'cleartext'

  constructor(kind: ExchangeError['kind']) {
    super(WORDS[kind])
    this.kind = kind
  }
}

/**
 * Carries the requests that openid-client makes. Everything that decides how a failure is treated is read here, off the
 * HTTP answer itself, rather than from the library's errors: those keep it in different places by status, content type
 * and header (a secret refused under Basic has no `error`, a 503 hides in a `cause`), and hold whole responses and
 * bodies, tokens included, where they get printed.
 */
export class IdentityProviderTransport {
  readonly #fetch: IdentityProviderFetch
  readonly #timeoutMs: number
  readonly #signal: AbortSignal
  readonly #wants: 'access-token' | 'login'
  #answer: ProviderAnswer | undefined
  #sent: readonly Secret[] = []

  /**
   * @param signal - Ends every request, besides the time limit that each has of its own.
   * @param wants - `access-token` hands on nothing else and only answers with status 200; `login` hands on every answer
   * whole: ID and refresh tokens, and the errors of a device login that goes on.
   */
  constructor(
    fetch: IdentityProviderFetch,
    timeoutMs: number,
    signal: AbortSignal,
    wants: 'access-token' | 'login' = 'access-token',
  ) {
    this.#fetch = fetch
    this.#timeoutMs = timeoutMs
    this.#signal = signal
    this.#wants = wants
  }

  /** The answer to the last request, as far as it came. */
  get answer(): ProviderAnswer | undefined {
    return this.#answer
  }

  /** What the last request carried that nobody may see, as it was on the wire; HTTP clients quote it in errors. */
  get sent(): readonly Secret[] {
    return this.#sent
  }

  /** The `customFetch` of openid-client. */
  readonly fetch: CustomFetch = async (url, options) => {
    this.#answer = undefined
    // Also for an endpoint that a discovery document named.
    if (isCleartext(new URL(url))) throw new ExchangeError('cleartext')
    const abort = new AbortController()
    const onAbort = (): void => abort.abort(this.#signal.reason)
    if (this.#signal.aborted) onAbort()
    else this.#signal.addEventListener('abort', onAbort, { once: true })
    const timer = platformClock.after(this.#timeoutMs, () => abort.abort(new ExchangeError('timeout')))
    try {
      // A fetch given by the user may not heed its signal, hence waitFor.
      return await waitFor(this.#exchange(url, options, abort.signal), abort.signal)
    } finally {
      timer.cancel()
      this.#signal.removeEventListener('abort', onAbort)
    }
  }

  async #exchange(url: string, options: Parameters<CustomFetch>[1], signal: AbortSignal): Promise<Response> {
    const body = options.body === undefined || options.body === null ? null : String(options.body)
    this.#sent = sensitiveParts(options.headers, body)
    const { method, headers } = options
    const response = await withoutTracing(() =>
      this.#fetch(url, { method, headers, body, redirect: 'manual', signal }),
    )
    const text = await readText(response)
    const answer = parseObject(text)
    const issued = response.status === 200 && typeof answer?.access_token === 'string'
    const error = issued ? undefined : answer?.error
    this.#answer = {
      status: response.status,
      mediaType: response.headers.get('content-type')?.split(';')[0]?.trim(),
      retryAfter: response.headers.get('retry-after') ?? undefined,
      date: response.headers.get('date') ?? undefined,
      location: originAndPath(response.headers.get('location'), url),
      error: typeof error === 'string' && error !== '' ? error : undefined,
      errorDescription: typeof answer?.error_description === 'string' ? answer.error_description : undefined,
    }
    if (this.#wants === 'login') {
      const { status } = response
      const headers = { 'content-type': response.headers.get('content-type') ?? '' }
      return new Response(status === 204 ? null : text, { status, headers })
    }
    if (response.status !== 200) throw new ExchangeError('status')
    return new Response(issued ? JSON.stringify(tokenFields(answer)) : text, {
      status: 200,
      headers: { 'content-type': response.headers.get('content-type') ?? '' },
    })
  }
}

function sensitiveParts(headers: Readonly<Record<string, string>>, body: string | null): Secret[] {
  const form = new URLSearchParams(body ?? '')
  const values = [
    headers.authorization?.replace(/^Basic /, ''),
    form.get('client_secret'),
    form.get('client_assertion'),
    form.get('code'),
    form.get('code_verifier'),
    form.get('refresh_token'),
    form.get('device_code'),
    form.get('token'),
  ]
  return values.filter((value) => typeof value === 'string').map((value) => new Secret(value))
}

/**
 * The fields of a token answer that matter for an access token. An `id_token` or `scope` in a form that the library
 * refuses is no reason to go without; an `expires_in` that is no time is left out, as if it had not been sent.
 */
function tokenFields(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { access_token, token_type, expires_in } = body
  const seconds = typeof expires_in === 'string' ? Number.parseFloat(expires_in) : expires_in
  const usable = typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0
  return usable ? { access_token, token_type, expires_in: seconds } : { access_token, token_type }
}

async function readText(response: IdentityProviderResponse): Promise<string> {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop by the throw cancels the stream.
  for await (const chunk of response.body) {
    size += chunk.byteLength
    if (size > MAX_ANSWER_BYTES) throw new ExchangeError('too-large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined // the library says what is wrong with a 200; other answers need no body
  }
}

function originAndPath(location: string | null, base: string): string | undefined {
  if (location === null || !URL.canParse(location, base)) return undefined
  const url = new URL(location, base)
  return `${url.origin}${url.pathname}`
}
