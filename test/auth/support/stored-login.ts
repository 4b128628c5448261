import { readFileSync, writeFileSync } from 'node:fs'
import { OidcAuthProvider } from '../../../src/auth/login/oidc-auth-provider.ts'
import { ScriptedBrowser } from './scripted-browser.ts'

/** Logs `alice` in at a provider and leaves the tokens in a file. */
export function logInto(issuer: string, tokenFile: string): Promise<OidcAuthProvider> {
  return OidcAuthProvider.login({
    issuer,
    clientId: 'cli',
    tokenFile,
    redirectUri: 'http://localhost:0/callback',
    openBrowser: false,
    onUrl: (url) => {
      void new ScriptedBrowser().logIn(url, 'alice')
    },
  })
}

/** Makes the ID token in a file one that expires at another time; its signature, which clients do not check, is void. */
export function expireIn(tokenFile: string, seconds: number): void {
  const file = JSON.parse(readFileSync(tokenFile, 'utf8'))
  const [header, payload, signature] = file.token.id_token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const now = Math.floor(Date.now() / 1000)
  const changed = { ...claims, iat: now + seconds - 3600, exp: now + seconds }
  file.token.id_token = [header, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join(
    '.',
  )
  writeFileSync(tokenFile, JSON.stringify(file))
}

export function tokenIn(tokenFile: string): { id_token: string; refresh_token: string } {
  return JSON.parse(readFileSync(tokenFile, 'utf8')).token
}
