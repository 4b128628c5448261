import type { LocalJWKSet } from 'jose'
import type { HttpFetchRequest, HttpFetchResponse } from 'micromegas/wire'
import { type KeySet, readKeySet } from './key-set.ts'

/** Carries the requests to an issuer. */
export type IssuerFetch = (url: string, request: HttpFetchRequest) => Promise<HttpFetchResponse>

/** The issuer's keys cannot be had now. */
export class IssuerKeysUnavailable extends Error {
  override readonly name: string = 'IssuerKeysUnavailable'
}

export interface IssuerKeysOptions {
  readonly issuer: string
  /** Keys older than this are fetched again, in the background. */
  readonly refreshIntervalMs: number
  readonly fetch: IssuerFetch
  /** Ends every fetch. */
  readonly signal: AbortSignal
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Gets a line about keys that are passed over, once for each. */
  readonly warn: (message: string) => void
}

/** Limit of one document, discovery or keys: connect, send and receive. */
const FETCH_TIMEOUT_MS = 5_000
/** A key set of a large provider has a dozen keys of 2 kB. */
const MAX_DOCUMENT_BYTES = 1024 * 1024
/**
 * Tokens with an unknown key id cost at most one fetch in this time, whoever sends them. jose's remote key set uses the
 * same cooldown.
 */
const UNKNOWN_KEY_COOLDOWN_MS = 30_000
const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 30_000
/** Keys that are named in one warning. */
const MAX_KEYS_NAMED = 5
/** An issuer that makes up new broken keys for each answer is told of no longer. */
const MAX_TOLD = 100

/**
 * The signing keys of one issuer, found by OpenID discovery. One fetch at a time, whoever asks; after a failure the next
 * attempt waits 1 s, then twice as long each time up to 30 s. Keys that could not be refreshed stay in use for one more
 * interval.
 */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions
  #keys: LocalJWKSet | undefined
  #fetchedAt = 0
  #refresh: Promise<LocalJWKSet> | undefined
  #failure: IssuerKeysUnavailable | undefined
  #failures = 0
  #nextAttemptAt = 0
  #nextUnknownKeyRefreshAt = 0
  readonly #told = new Set<string>()

  constructor(options: IssuerKeysOptions) {
    this.#options = options
  }

  /** @throws {@link IssuerKeysUnavailable} */
  async current(): Promise<LocalJWKSet> {
    const age = this.#options.clock() - this.#fetchedAt
    const { refreshIntervalMs } = this.#options
    if (this.#keys === undefined || age >= 2 * refreshIntervalMs) return this.#fetch()
    // A failure is kept in #failure and shows once the keys have become too old.
    if (age >= refreshIntervalMs) this.#fetch().catch(() => undefined)
    return this.#keys
  }

  /**
   * Newer keys than `used`, for a token whose key is not among those. `undefined` when there are none and asking again
   * has to wait.
   *
   * @throws {@link IssuerKeysUnavailable}
   */
  async newerThan(used: LocalJWKSet): Promise<LocalJWKSet | undefined> {
    if (this.#keys !== undefined && this.#keys !== used) return this.#keys
    const now = this.#options.clock()
    if (this.#refresh === undefined && now < this.#nextUnknownKeyRefreshAt) {
      if (this.#failure !== undefined) throw this.#failure
      return undefined
    }
    this.#nextUnknownKeyRefreshAt = now + UNKNOWN_KEY_COOLDOWN_MS
    return this.#fetch()
  }

  #fetch(): Promise<LocalJWKSet> {
    if (
      this.#refresh === undefined &&
      this.#failure !== undefined &&
      this.#options.clock() < this.#nextAttemptAt
    ) {
      return Promise.reject(this.#failure)
    }
    this.#refresh ??= this.#fetchOnce().finally(() => {
      this.#refresh = undefined
    })
    return this.#refresh
  }

  async #fetchOnce(): Promise<LocalJWKSet> {
    try {
      const { keys, unusable } = await fetchKeys(this.#options.issuer, this.#options)
      this.#tell(unusable)
      this.#keys = keys
      this.#fetchedAt = this.#options.clock()
      this.#failure = undefined
      this.#failures = 0
      return keys
    } catch (error) {
      const failure = new IssuerKeysUnavailable(
        `cannot get the keys of ${this.#options.issuer}: ${describeFailure(error)}`,
        { cause: error },
      )
      this.#failure = failure
      this.#failures += 1
      const wait = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1))
      this.#nextAttemptAt = this.#options.clock() + wait
      throw failure
    }
  }

  #tell(unusable: readonly string[]): void {
    const news = unusable.filter((line) => !this.#told.has(line))
    if (news.length === 0 || this.#told.size >= MAX_TOLD) return
    for (const line of news) this.#told.add(line)
    const more = news.length > MAX_KEYS_NAMED ? ` and ${news.length - MAX_KEYS_NAMED} more` : ''
    const named = news.slice(0, MAX_KEYS_NAMED).join('; ')
    this.#options.warn(`keys of ${this.#options.issuer} that cannot be used are passed over: ${named}${more}`)
  }
}

async function fetchKeys(issuer: string, { fetch, signal }: IssuerKeysOptions): Promise<KeySet> {
  const discoveryUrl = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const metadata = await fetchJson(discoveryUrl, fetch, signal)
  // OpenID Connect Discovery 1.0, section 4.3: a document that names another issuer must not be used.
  if (metadata.issuer !== issuer)
    throw new Error(`${discoveryUrl} names the issuer ${String(metadata.issuer)}`)
  const jwksUri = metadata.jwks_uri
  if (typeof jwksUri !== 'string') throw new Error(`${discoveryUrl} has no jwks_uri`)
  if (issuer.startsWith('https:') && !jwksUri.startsWith('https:'))
    throw new Error('its jwks_uri is not https')
  return readKeySet(await fetchJson(jwksUri, fetch, signal))
}

async function fetchJson(
  url: string,
  fetch: IssuerFetch,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  // Redirects are not followed: one could lead the server to an address that only it can reach.
  const response = await fetch(url, {
    method: 'GET',
    headers: { accept: 'application/json' },
    body: null,
    signal: AbortSignal.any([signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]),
  })
  const text = await readText(response, url)
  const document: unknown = parseJson(text, url)
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new Error(`${url} holds no JSON object`)
  }
  return document as Record<string, unknown>
}

async function readText({ status, body }: HttpFetchResponse, url: string): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  // Leaving the loop closes the connection.
  for await (const chunk of body) {
    length += chunk.length
    if (status !== 200) break
    if (length > MAX_DOCUMENT_BYTES) throw new Error(`${url} is longer than ${MAX_DOCUMENT_BYTES} bytes`)
    chunks.push(chunk)
  }
  if (status !== 200) throw new Error(`${url} answered ${status}`)
  return Buffer.concat(chunks).toString('utf8')
}

function parseJson(text: string, url: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`${url} holds no JSON`, { cause: error })
  }
}

function describeFailure(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
