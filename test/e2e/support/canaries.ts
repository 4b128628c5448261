/** Texts that stand for secrets, and the search for them in every spelling. */
const MARK = 'c4n4ry'

export const CANARIES = {
  apiKey: `${MARK}-api-key-0f1e2d3c`,
  clientSecret: `${MARK}-client+secret/="1`,
  token: `${MARK}-access.token-with.a-signature`,
  assertion: `${MARK}-assertion_signature-5e4f`,
  userinfo: `${MARK}-password-9a8b`,
  query: `${MARK}-query-7c6d`,
} as const

/** What of a text gives a secret away: the canary, or a part of it that is long enough to be of use. */
export function leakIn(text: string, more: readonly string[] = []): string | undefined {
  const match = tellTales(more).exec(text)
  return match === null ? undefined : text.slice(Math.max(0, match.index - 100), match.index + 60)
}

function tellTales(more: readonly string[]): RegExp {
  const secrets = [...Object.values(CANARIES), ...more]
  const forms = secrets.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ v: secret }).toString().slice(2),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('hex'),
    ...base64Forms(secret),
  ])
  const unique = [...new Set([MARK, Buffer.from(MARK).toString('hex'), ...base64Forms(MARK), ...forms])]
  return new RegExp(unique.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'i')
}

/** The text in Base64, wherever it begins in the three bytes that make four characters. */
function base64Forms(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.from(`${'x'.repeat(before)}${text}`)
      .toString('base64')
      .replace(/=+$/, '')
    // The first and the last character hold bits of the neighbours.
    return encoded.slice(before === 0 ? 0 : before + 1, -1)
  })
}
