import { signal } from '@preact/signals'
import { errorText } from '../data/error-text.ts'
import { useKey } from './key.ts'

const PENDING = 'micromegas.login.pending'
const LOGIN = 'micromegas.login'
/** A token is refreshed this long before it ends: clocks and answers take their time. */
const EARLY_MS = 60_000
/** An issuer that the server offers a login at. */
export interface LoginChoice {
  readonly issuer: string
}

/** Who is logged in, in this tab. */
interface Login {
  readonly issuer: string
  readonly user: string | undefined
  readonly refreshToken: string | undefined
  /** Milliseconds since the Unix epoch. */
  readonly expiresAtMs: number | undefined
}

interface Pending {
  readonly issuer: string
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  /** What the page showed. */
  readonly hash: string
}

interface Tokens {
  readonly token: string
  readonly expiresInSeconds?: number
  readonly refreshToken?: string
  readonly user?: string
}

export const login = signal<Login | undefined>(stored<Login>(LOGIN))
/** Why there is no login: what the issuer or the server said. */
export const loginProblem = signal<string | undefined>(undefined)

/** Where one can log in; none when the server cannot be asked. */
export async function loginChoices(): Promise<readonly LoginChoice[]> {
  try {
    const response = await fetch('login')
    return response.ok ? ((await response.json()) as LoginChoice[]) : []
  } catch {
    return []
  }
}

/** Leaves for the issuer. */
export async function beginLogin(issuer: string): Promise<void> {
  loginProblem.value = undefined
  try {
    const redirectUri = location.origin + location.pathname
    const { url, ...begun } = await post<Omit<Pending, 'issuer' | 'hash'> & { url: string }>('begin', {
      issuer,
      redirectUri,
    })
    sessionStorage.setItem(PENDING, JSON.stringify({ ...begun, issuer, hash: location.hash }))
    location.assign(url)
  } catch (error) {
    loginProblem.value = errorText(error)
  }
}

/** Takes the answer of an issuer out of the address, and makes a login of it. */
export async function finishLogin(): Promise<void> {
  const answer = new URL(location.origin + location.pathname + location.search)
  const { searchParams } = answer
  if (!searchParams.has('state') || !(searchParams.has('code') || searchParams.has('error'))) return
  const pending = stored<Pending>(PENDING)
  sessionStorage.removeItem(PENDING)
  // Codes stay neither in the address nor in the history. The page itself has nothing in the query.
  history.replaceState(null, '', location.pathname + (pending?.hash ?? ''))
  try {
    if (pending === undefined || searchParams.get('state') !== pending.state) {
      throw new Error('this tab did not begin that login')
    }
    const { issuer, state, nonce, verifier } = pending
    keep(issuer, await post<Tokens>('finish', { issuer, answer: answer.href, state, nonce, verifier }))
  } catch (error) {
    loginProblem.value = errorText(error)
  }
}

/** Another key stands in its place, or none. */
export function forgetLogin(): void {
  sessionStorage.removeItem(LOGIN)
  login.value = undefined
}

let refreshing: Promise<void> | undefined

/** Sees to it that the token is good for a while; several callers share one refresh. A login that has ended is left to the server. */
export async function refreshLogin(): Promise<void> {
  const { expiresAtMs, refreshToken, issuer } = login.value ?? {}
  if (expiresAtMs === undefined || refreshToken === undefined || issuer === undefined) return
  if (Date.now() < expiresAtMs - EARLY_MS) return
  refreshing ??= post<Tokens>('refresh', { issuer, refreshToken })
    .then((tokens) => keep(issuer, tokens))
    .catch((error: unknown) => {
      if (error instanceof TypeError) return // no connection: the next question tries again
      loginProblem.value = `The login has ended: ${errorText(error)}`
      forgetLogin()
      useKey(undefined)
    })
    .finally(() => {
      refreshing = undefined
    })
  await refreshing
}

function keep(issuer: string, { token, expiresInSeconds, refreshToken, user }: Tokens): void {
  const expiresAtMs = expiresInSeconds === undefined ? undefined : Date.now() + expiresInSeconds * 1000
  const next: Login = { issuer, user: user ?? login.value?.user, refreshToken, expiresAtMs }
  sessionStorage.setItem(LOGIN, JSON.stringify(next))
  login.value = next
  loginProblem.value = undefined
  useKey(token)
}

async function post<T>(path: string, body: object): Promise<T> {
  const response = await fetch(`login/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (response.ok) return (await response.json()) as T
  const { error } = (await response.json().catch(() => ({}))) as { readonly error?: string }
  throw new Error(error ?? `The server answered ${response.status}`)
}

function stored<T>(item: string): T | undefined {
  const text = sessionStorage.getItem(item)
  return text === null ? undefined : (JSON.parse(text) as T)
}
