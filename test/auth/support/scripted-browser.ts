/** What a person does with a browser, as HTTP requests: follows redirects, keeps cookies, fills in forms. */
export class ScriptedBrowser {
  readonly #cookies = new Map<string, Map<string, string>>()

  /** Opens an address and follows redirects to the page behind them; stops before one that `until` accepts. */
  async open(
    address: string | URL,
    until?: (url: URL) => boolean,
    form?: Record<string, string>,
  ): Promise<Page> {
    let url = new URL(address)
    let body = form === undefined ? undefined : new URLSearchParams(form)
    for (let hops = 0; hops < 20; hops++) {
      if (until?.(url)) return { url, status: 0, text: '' }
      const response = await fetch(url, {
        method: body === undefined ? 'GET' : 'POST',
        body: body ?? null,
        redirect: 'manual',
        headers: { cookie: this.#cookieHeader(url) },
      })
      this.#keep(url, response.headers.getSetCookie())
      const location = response.headers.get('location')
      if (location === null) return { url, status: response.status, text: await response.text() }
      await response.body?.cancel()
      url = new URL(location, url)
      body = undefined
    }
    throw new Error(`too many redirects, the last to ${url.href}`)
  }

  /** Logs in as `name` from an authorization address, and consents; ends on the page that the redirect back shows. */
  async logIn(address: string | URL, name: string): Promise<Page> {
    return this.finish(await this.open(address), name)
  }

  /** Goes on from a page of the provider: logs in and consents. */
  async finish(start: Page, name: string): Promise<Page> {
    let page = start
    for (let forms = 0; forms < 5 && /name="prompt" value="(login|consent)"/.test(page.text); forms++) {
      page = await this.#submit(page, name)
    }
    return page
  }

  /** Refuses the login: `access_denied`. */
  async refuse(address: string | URL): Promise<Page> {
    const page = await this.open(address)
    return this.open(new URL(/href="([^"]*\/abort)"/.exec(page.text)![1]!, page.url))
  }

  #submit(page: Page, name: string): Promise<Page> {
    const action = /action="([^"]+)"/.exec(page.text)![1]!
    const prompt = /name="prompt" value="(\w+)"/.exec(page.text)![1]!
    const form = prompt === 'login' ? { prompt, login: name, password: 'any' } : { prompt }
    return this.open(new URL(action, page.url), undefined, form)
  }

  #cookieHeader(url: URL): string {
    return [...(this.#cookies.get(url.host) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  #keep(url: URL, lines: readonly string[]): void {
    const jar = this.#cookies.get(url.host) ?? new Map<string, string>()
    this.#cookies.set(url.host, jar)
    for (const line of lines) {
      const [pair = ''] = line.split(';')
      const at = pair.indexOf('=')
      const value = pair.slice(at + 1)
      if (value === '') jar.delete(pair.slice(0, at))
      else jar.set(pair.slice(0, at), value)
    }
  }
}

export interface Page {
  readonly url: URL
  readonly status: number
  readonly text: string
}

/** Enters the code of a device login, at an address that has it: confirms it (or refuses), logs in as `name`, consents. */
export async function enterCode(address: string, name: string, refuse = false): Promise<void> {
  const browser = new ScriptedBrowser()
  let page = await browser.open(address)
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)![1]!
  const code = /name="user_code" value="([^"]+)"/.exec(page.text)![1]!
  const action = /action="([^"]+)"/.exec(page.text)![1]!
  const form: Record<string, string> = {
    xsrf,
    user_code: code,
    ...(refuse ? { abort: 'yes' } : { confirm: 'yes' }),
  }
  page = await browser.open(new URL(action, page.url), undefined, form)
  await browser.finish(page, name)
}
