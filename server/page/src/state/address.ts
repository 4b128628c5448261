import { computed, signal } from '@preact/signals'

/** What the page shows, as its address has it: `#/logs?p=…&level=4`. */
export interface Address {
  readonly view: string
  readonly params: URLSearchParams
}

function read(): Address {
  const [, view = '', query = ''] = /^#\/([^?]*)\??(.*)$/.exec(location.hash) ?? []
  return { view, params: new URLSearchParams(query) }
}

export const address = signal<Address>(read())

export function followAddress(): void {
  addEventListener('hashchange', () => {
    address.value = read()
  })
  address.value = read()
}

/** What a parameter becomes: nothing takes it out. */
export type Change = Readonly<Record<string, string | readonly string[] | undefined>>

function hashOf(view: string, params: URLSearchParams): string {
  const query = params.toString()
  return `#/${view}${query === '' ? '' : `?${query}`}`
}

function changed(params: URLSearchParams, change: Change): URLSearchParams {
  const next = new URLSearchParams(params)
  for (const [name, value] of Object.entries(change)) {
    next.delete(name)
    if (value === undefined) continue
    for (const item of typeof value === 'string' ? [value] : value) next.append(name, item)
  }
  return next
}

/** Parameters that every view understands: process and range. */
const SHARED = ['p', 'from', 'to', 'last']

/** The address of another view, with the process and the range of now. */
export function linkTo(view: string, change: Change = {}): string {
  const shared = new URLSearchParams([...address.value.params].filter(([name]) => SHARED.includes(name)))
  return hashOf(view, changed(shared, change))
}

/** Goes there; `replace` where going back should not stop. */
export function go(hash: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (hash === location.hash) return
  if (replace) {
    history.replaceState(null, '', hash)
    address.value = read()
  } else location.hash = hash
}

export function set(change: Change, options?: { readonly replace?: boolean }): void {
  const { view, params } = address.value
  go(hashOf(view, changed(params, change)), options)
}

export const param = (name: string) => computed(() => address.value.params.get(name) ?? undefined)

/** The values of parameters as one text: it changes when what the address asks for does. */
export function asked(...names: string[]): string {
  const { params } = address.value
  return names.map((name) => params.getAll(name).join('\n')).join('\0')
}

export const view = computed(() => address.value.view)
export const processId = param('p')
