/**
 * Whether `NO_PROXY` excludes a service from proxying. It takes what curl, Go, undici and Node take:
 *
 * | entry | what it covers |
 * |---|---|
 * | `*` | everything |
 * | `example.com`, `.example.com`, `*.example.com` | the domain and its subdomains |
 * | `10.1.2.3`, `fd00::1`, `[fd00::1]` | an address, in any spelling |
 * | `10.0.0.0/8`, `fd00::/8` | a block of addresses |
 * | `10.0.0.1-10.0.0.9` | a range of addresses |
 *
 * Entries are separated by commas or blanks. Names and addresses may have a `:port`, an IPv6 address in brackets then.
 * Entries of any other form cover nothing: the variable is not ours, and another program may know them. Names are not
 * looked up.
 */
export function isExcluded(service: URL, noProxy: string): boolean {
  const { isIP } = process.getBuiltinModule('node:net')
  const port = service.port || (service.protocol === 'https:' ? '443' : '80')
  const host = bare(service.hostname)
  const covers = isIP(host) === 0 ? coversName : coversAddress
  return noProxy.split(/[,\s]+/).some((text) => {
    if (text === '*') return true
    const [, entry = '', entryPort] = /^(.*?)(?::(\d+))?$/.exec(bracketed(text)) ?? []
    if (entry === '' || (entryPort !== undefined && Number(entryPort) !== Number(port))) return false
    return covers(entry, host)
  })
}

function coversName(entry: string, host: string): boolean {
  const name = entry
    .replace(/^\*?\./, '')
    .replace(/\.$/, '')
    .toLowerCase()
  return name !== '' && (host === name || host.endsWith(`.${name}`))
}

function coversAddress(text: string, host: string): boolean {
  const entry = bare(text)
  const { BlockList, isIP } = process.getBuiltinModule('node:net')
  const familyOf = (text: string): 'ipv4' | 'ipv6' => (isIP(text) === 6 ? 'ipv6' : 'ipv4')
  const list = new BlockList()
  const [, block = '', bits = ''] = /^([\da-f.:]+)\]?\/(\d{1,3})$/i.exec(entry) ?? []
  const [, first = '', last = ''] = /^([\d.]+)-([\d.]+)$/.exec(entry) ?? []
  if (isIP(entry) !== 0) list.addAddress(entry, familyOf(entry))
  else if (isIP(block) !== 0 && Number(bits) <= (isIP(block) === 6 ? 128 : 32))
    list.addSubnet(block, Number(bits), familyOf(block))
  else if (isIP(first) === 4 && isIP(last) === 4 && !isBefore(last, first)) list.addRange(first, last)
  else return false
  return list.check(host, familyOf(host))
}

function isBefore(address: string, other: string): boolean {
  const value = (text: string): number => text.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
  return value(address) < value(other)
}

/** `fd00::1` as URLs spell it: a name with two colons is an IPv6 address, not a host and a port. */
function bracketed(entry: string): string {
  return entry.startsWith('[') || entry.split(':').length < 3 ? entry : `[${entry}]`
}

function bare(host: string): string {
  return host
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/^\[/, '')
    .replace(/\.$/, '')
}
