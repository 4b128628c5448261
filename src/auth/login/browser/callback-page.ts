/** What the browser shows at the end of a login. */
export interface CallbackPage {
  readonly status: number
  readonly title: string
  readonly text: string
}

/** The page as HTML without any active content; title and text are escaped. */
export function renderPage({ title, text }: CallbackPage): string {
  return (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">' +
    `<title>${escapeHtml(title)}</title></head><body><h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p></body></html>`
  )
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
