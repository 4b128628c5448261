/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/
/** What no value may hold: RFC 9110 section 5.5, and what is no byte. */
const FORBIDDEN = /[\0\r\n]|[^\0-\xff]/

/**
 * The headers of one request, with the interface of `fetch`'s. That class costs a process that does not use `fetch` 60 to
 * 100 ms and 10 MB, for Node loads its client with it; and there are test environments that have none.
 */
export class HeaderList implements Headers {
  /** By name in lower case. */
  readonly #values: Map<string, string> = new Map()

  constructor(init: Readonly<Record<string, string>> = {}) {
    for (const [name, value] of Object.entries(init)) this.set(name, value)
  }

  append(name: string, value: string): void {
    const present = this.get(name)
    this.set(name, present === null ? value : `${present}, ${normal(name, value)}`)
  }

  delete(name: string): void {
    this.#values.delete(key(name))
  }

  get(name: string): string | null {
    return this.#values.get(key(name)) ?? null
  }

  /** Always empty: it is an answer's header. */
  getSetCookie(): string[] {
    return []
  }

  has(name: string): boolean {
    return this.#values.has(key(name))
  }

  /** @throws TypeError for a name or a value that no request can carry; the message does not hold the value. */
  set(name: string, value: string): void {
    this.#values.set(key(name), normal(name, value))
  }

  forEach(fn: (value: string, key: string, parent: Headers) => void, thisArg?: unknown): void {
    for (const [name, value] of this) fn.call(thisArg, value, name, this)
  }

  keys(): MapIterator<string> {
    return this.#sorted().keys()
  }

  values(): MapIterator<string> {
    return this.#sorted().values()
  }

  entries(): MapIterator<[string, string]> {
    return this.#sorted().entries()
  }

  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries()
  }

  #sorted(): Map<string, string> {
    return new Map([...this.#values].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

function key(name: string): string {
  const text = String(name)
  if (!TOKEN.test(text))
    throw new TypeError('Cannot set a header: its name has characters that no name can have')
  return text.toLowerCase()
}

function normal(name: string, value: string): string {
  const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '')
  if (FORBIDDEN.test(text)) {
    throw new TypeError(`Cannot set the header ${name}: its value has characters that no header can carry`)
  }
  return text
}
