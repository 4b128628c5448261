import type { Admin } from './admins.ts'
import { ApiKeyFile } from './api-key-file.ts'
import { type ApiKey, ApiKeyVerifier } from './api-keys.ts'
import { type Authenticator, BearerAuthenticator, noAuthenticator } from './authenticator.ts'
import type { TokenVerifier } from './identity.ts'
import type { IssuerFetch } from './issuer-keys.ts'
import { type OidcConfig, OidcVerifier } from './oidc-verifier.ts'

/** The two ways into the server. `ingestion` takes telemetry; `analytics` answers questions, over HTTP and FlightSQL. */
export type Door = 'ingestion' | 'analytics'

/** Who may come in at one door. */
export interface DoorConfig {
  readonly apiKeys: readonly ApiKey[]
  readonly apiKeysFile: string | undefined
  readonly oidc: OidcConfig | undefined
  readonly admins: readonly Admin[]
}

export interface DoorsOptions {
  readonly doors: Readonly<Record<Door, DoorConfig>>
  readonly disableAuth: boolean
  readonly callersAreAdmins: boolean
  /** Reads the text of a file with API keys; throws an Error whose message shows no key. */
  readonly parseApiKeys: (text: string) => readonly ApiKey[]
  readonly warn: (message: string) => void
  /** Carries the requests to the issuers. */
  readonly fetch: IssuerFetch
  readonly signal: AbortSignal
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Milliseconds since the Unix epoch. */
  readonly wallClock: () => number
}

/** Who may come in at which door. What both doors have alike they share: an issuer's keys are fetched once. */
export class Doors implements Readonly<Record<Door, Authenticator>> {
  readonly ingestion: Authenticator
  readonly analytics: Authenticator
  readonly #verifiers: readonly OidcVerifier[]

  private constructor(
    authenticators: Readonly<Record<Door, Authenticator>>,
    verifiers: readonly OidcVerifier[],
  ) {
    this.ingestion = authenticators.ingestion
    this.analytics = authenticators.analytics
    this.#verifiers = verifiers
  }

  /** @throws Error when a file with API keys cannot be used; the message shows no key. */
  static async open(options: DoorsOptions): Promise<Doors> {
    const { doors, disableAuth, callersAreAdmins } = options
    if (disableAuth) return new Doors({ ingestion: noAuthenticator, analytics: noAuthenticator }, [])
    const shared = new Map<string, TokenVerifier>()
    const oidc: OidcVerifier[] = []
    const authenticator = async (door: DoorConfig): Promise<Authenticator> => {
      const verifiers: TokenVerifier[] = []
      if (door.apiKeys.length > 0) verifiers.push(new ApiKeyVerifier(door.apiKeys))
      if (door.apiKeysFile !== undefined) {
        const file = shared.get(door.apiKeysFile) ?? (await openKeys(door.apiKeysFile, options))
        shared.set(door.apiKeysFile, file)
        verifiers.push(file)
      }
      if (door.oidc !== undefined) {
        const key = JSON.stringify([door.oidc, door.admins])
        let verifier = shared.get(key)
        if (verifier === undefined) {
          const made = new OidcVerifier({ ...options, ...door.oidc, admins: door.admins })
          oidc.push(made)
          shared.set(key, made)
          verifier = made
        }
        verifiers.push(verifier)
      }
      return new BearerAuthenticator(verifiers, callersAreAdmins)
    }
    const ingestion = await authenticator(doors.ingestion)
    return new Doors({ ingestion, analytics: await authenticator(doors.analytics) }, oidc)
  }

  /** What an operator should know of the configuration. */
  risks(): string[] {
    return [...new Set(this.#verifiers.flatMap((verifier) => verifier.risks()))]
  }

  /** Fetches every issuer's keys; returns what could not be had. */
  async warmUp(): Promise<string[]> {
    const failures = await Promise.all(this.#verifiers.map((verifier) => verifier.warmUp()))
    return [...new Set(failures.flat())]
  }
}

async function openKeys(path: string, options: DoorsOptions): Promise<ApiKeyFile> {
  const { parseApiKeys: parse, warn, clock } = options
  try {
    return await ApiKeyFile.open({ path, parse, warn, clock })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`the API keys in ${path} cannot be used: ${reason}`, { cause })
  }
}
