import { parseRetryAfter } from '../../http/answer/retry-after.ts'
import { isError, isSyntaxError } from '../../model/kinds.ts'
import { platformClock } from '../../model/runtime/clock.ts'
import { CredentialsUnavailableError } from '../errors.ts'
import { type Secret, sanitizeText } from '../secret.ts'
import { ExchangeError, type ProviderAnswer } from './identity-provider-transport.ts'

/** `error` codes by which a provider says that it, not the client, has the trouble. */
const PASSING_ERRORS: ReadonlySet<string> = new Set(['temporarily_unavailable', 'server_error', 'slow_down'])
/** Client error statuses that ask for patience: request timeout, too early, too many requests. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 425, 429])

const MAX_CODE_LENGTH = 100
const MAX_TEXT_LENGTH = 300

/** What a failed request for a token is told of. */
export interface FailedTokenRequest {
  /** What was to be done: `get a token from https://…`. */
  readonly action: string
  /** What was thrown; by openid-client, by the HTTP client, or {@link ExchangeError}. */
  readonly error: unknown
  /** The provider's answer, where there was one. */
  readonly answer: ProviderAnswer | undefined
  /** What must not be in the message or in the cause. */
  readonly secrets: readonly Secret[]
  readonly timeoutMs: number
}

/** Whether the provider's answer means no, rather than not now. */
function isRefusal(answer: ProviderAnswer): boolean {
  if (answer.error !== undefined && PASSING_ERRORS.has(answer.error)) return false
  if (PASSING_STATUSES.has(answer.status)) return false
  // A redirect is not followed, so it leads nowhere until somebody changes the endpoint. Some providers answer 200 with
  // an `error`.
  return (
    (answer.status >= 300 && answer.status < 500) || (answer.status === 200 && answer.error !== undefined)
  )
}

/**
 * Sorts a failed request for a token into refused (a person has to mend it) and passing trouble, and says what happened
 * without any secret: the cause is a copy that keeps only name, code and text of the original.
 */
export function describeTokenFailure(failed: FailedTokenRequest): CredentialsUnavailableError {
  const { answer, secrets } = failed
  const { state, refused } = answer === undefined ? networkState(failed) : answerState(failed, answer)
  return new CredentialsUnavailableError(`Cannot ${failed.action}: ${state}`, {
    refused,
    retryAfterMs: refused
      ? undefined
      : parseRetryAfter(answer?.retryAfter, answer?.date, platformClock.wallMs()),
    cause: harmlessCopy(failed.error, secrets, 0),
  })
}

interface FailureState {
  readonly state: string
  readonly refused: boolean
}

function answerState(failed: FailedTokenRequest, answer: ProviderAnswer): FailureState {
  const clean = (text: string, maxLength: number): string => sanitizeText(text, failed.secrets, maxLength)
  const refused = isRefusal(answer)
  const http = `HTTP ${answer.status}`
  if (answer.error !== undefined) {
    const code = clean(answer.error, MAX_CODE_LENGTH)
    const description = clean(answer.errorDescription ?? '', MAX_TEXT_LENGTH)
    const said = description === '' ? code : `${code}: ${description}`
    return { state: `the identity provider answered ${http}, ${said}`, refused }
  }
  if (answer.status >= 300 && answer.status < 400) {
    const target = answer.location === undefined ? '' : ` to ${clean(answer.location, MAX_TEXT_LENGTH)}`
    return { state: `${http} redirects${target}; redirects are not followed with credentials`, refused }
  }
  if (answer.status !== 200) return { state: `the identity provider answered ${http}`, refused }
  const type = clean(answer.mediaType || 'no content type', MAX_CODE_LENGTH)
  const code = errorCode(failed.error)
  // Neither a wrong issuer nor a token type that is not Bearer changes with time.
  if (code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED') {
    return { state: 'its discovery document names another issuer', refused: true }
  }
  if (code === 'OAUTH_UNSUPPORTED_OPERATION') return { state: 'it issues no bearer tokens', refused: true }
  if (code === 'OAUTH_RESPONSE_IS_NOT_JSON' || code === 'OAUTH_PARSE_ERROR') {
    return { state: `the answer is no JSON (${http}, ${type})`, refused: false }
  }
  return { state: `the answer cannot be used (${http}, ${code ?? 'unexpected error'})`, refused: false }
}

function networkState({ error, timeoutMs, secrets }: FailedTokenRequest): FailureState {
  if (isTimeout(error)) return { state: `no answer within ${timeoutMs} ms`, refused: false }
  const exchange = findExchangeError(error)
  if (exchange?.kind === 'too-large') return { state: 'the answer is too large to be one', refused: false }
  if (exchange?.kind === 'cleartext') {
    return { state: 'the endpoint is plain http, which would show the credentials', refused: true }
  }
  const code = errorCode(error)
  if (code === 'ERR_MODULE_NOT_FOUND') {
    return { state: 'the package openid-client is not installed', refused: true }
  }
  const text = innermostMessage(error)
  const shown = text.includes(code ?? '') ? text : `${code}: ${text}`
  return { state: sanitizeText(shown, secrets, MAX_TEXT_LENGTH), refused: false }
}

/** The chain of causes, outermost first; short, and safe against a cycle. */
function* causes(error: unknown): Generator<Error> {
  let current = error
  for (let depth = 0; depth < 6 && isError(current); depth++) {
    yield current
    current = current.cause
  }
}

function findExchangeError(error: unknown): ExchangeError | undefined {
  for (const cause of causes(error)) if (cause instanceof ExchangeError) return cause
  return undefined
}

function isTimeout(error: unknown): boolean {
  return findExchangeError(error)?.kind === 'timeout'
}

/** The most telling code: the innermost. */
function errorCode(error: unknown): string | undefined {
  let code: string | undefined
  for (const cause of causes(error)) if ('code' in cause && typeof cause.code === 'string') code = cause.code
  return code
}

function innermostMessage(error: unknown): string {
  let message = 'the request failed'
  for (const cause of causes(error)) {
    if (cause.message !== '' && !isSyntaxError(cause)) message = cause.message
  }
  return message
}

/**
 * Errors of HTTP clients carry requests and responses, headers and bodies. This keeps what helps to find the fault and
 * cannot hold them. A syntax error is left out, since the JSON parser quotes what it read: a token, perhaps.
 */
function harmlessCopy(error: unknown, secrets: readonly Secret[], depth: number): Error | undefined {
  if (!isError(error) || depth > 5) return undefined
  if (error instanceof ExchangeError || isSyntaxError(error)) return undefined
  const cause = harmlessCopy(error.cause, secrets, depth + 1)
  const copy = new Error(sanitizeText(error.message, secrets, MAX_TEXT_LENGTH), cause && { cause })
  copy.name = sanitizeText(error.name, secrets, MAX_CODE_LENGTH)
  if ('code' in error && typeof error.code === 'string') {
    Object.assign(copy, { code: sanitizeText(error.code, secrets, MAX_CODE_LENGTH) })
  }
  copy.stack = `${copy.name}: ${copy.message}` // the stack of this function says nothing about the fault
  return copy
}
