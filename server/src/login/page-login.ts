/** Login of a person on the page, at an issuer whose tokens the server takes. */
export interface PageLogin {
  /** One of the issuers that answering questions knows, spelled exactly so. */
  readonly issuer: string
  /** Of a client that may send people back to `/ui/` of this server. */
  readonly clientId: string
  /** For clients that have one; it stays on the server. Public clients have none. */
  readonly clientSecret?: string | undefined
  /** What is asked for. @defaultValue `openid email profile offline_access` */
  readonly scope?: string | undefined
  /**
   * Asked for where set, as Auth0 wants it. The page sends the ID token where `clientId` is one of the configured audiences, and
   * the access token otherwise.
   */
  readonly audience?: string | undefined
}

/** What a login or its refresh gives the page. */
export interface PageTokens {
  /** What the page sends with its questions. */
  readonly token: string
  /** Seconds until it is no longer good; undefined where that is not known. */
  readonly expiresInSeconds: number | undefined
  /** Undefined where the issuer gives none: after `expiresInSeconds` the person logs in again. */
  readonly refreshToken: string | undefined
  /** How the issuer calls the person. */
  readonly user: string | undefined
}

/** What the page keeps, in its tab, between leaving for the issuer and coming back. */
export interface BegunLogin {
  /** Where to go. */
  readonly url: string
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/** The issuer, or the person, said no; the message says why, in the issuer's own words. */
export class LoginRefused extends Error {
  override readonly name: string = 'LoginRefused'
}
