/** As `start.ts`: what only services load that authenticate by OIDC. */
export { openTokens } from '../auth/oidc/open-tokens.ts'
