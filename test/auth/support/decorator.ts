import { OidcClientCredentialsDecorator } from '../../../src/auth/oidc/oidc-client-credentials-decorator.ts'
import type { OidcClientCredentialsOptions } from '../../../src/auth/oidc/oidc-options.ts'
import { TestClock } from './requests.ts'
import type { TokenServer } from './token-server.ts'

export interface Rig {
  readonly decorator: OidcClientCredentialsDecorator
  readonly clock: TestClock
  readonly warnings: string[]
  /** When, on the clock and since its start, each request to the provider was sent. */
  readonly sentAt: number[]
  /** Resolves when what was to be sent has been sent and answered. */
  settle(): Promise<void>
}

/** A decorator on the token server whose clock, console and chance (0.5: no jitter) are the test's. */
export function rig(server: TokenServer, options: Partial<OidcClientCredentialsOptions> = {}): Rig {
  const clock = new TestClock()
  const start = clock.ms
  const warnings: string[] = []
  const sentAt: number[] = []
  const pending = new Set<Promise<unknown>>()
  const decorator = new OidcClientCredentialsDecorator({
    tokenEndpoint: server.tokenEndpoint,
    clientId: 'client',
    clientSecret: 'the-client-secret',
    now: clock.now,
    random: () => 0.5,
    warn: (message) => warnings.push(message),
    fetch: (url, request) => {
      sentAt.push(clock.ms - start)
      const response = fetch(url, request)
      pending.add(response)
      return response
    },
    ...options,
  })
  const settle = async (): Promise<void> => {
    const roundTrip = async (): Promise<unknown> => (await fetch(`${server.origin}/probe`)).text()
    await roundTrip()
    await Promise.allSettled(pending)
    await roundTrip()
  }
  return { decorator, clock, warnings, sentAt, settle }
}
