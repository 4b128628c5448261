/**
 * What a Micromegas server's database refuses although the request can be read. The server then answers 500, every time:
 * such a value never gets in. The widths are those of the reference's `processes` table.
 */

const MAX_CHARACTERS = 255

/** Fields of a process with columns of limited width. */
export interface ProcessColumns {
  readonly exe: string
  readonly username: string
  readonly realname: string
  readonly computer: string
  readonly distro: string
  readonly cpuBrand: string
  readonly properties: Readonly<Record<string, string>>
}

/** @returns What the database would refuse of a process. */
export function processRefusals(process: ProcessColumns): string[] {
  const { exe, username, realname, computer, distro, cpuBrand } = process
  const columns = { exe, username, realname, computer, distro, cpu_brand: cpuBrand }
  const refusals: string[] = []
  for (const [name, value] of Object.entries(columns)) {
    // At most two UTF-16 units a character: most values need no counting.
    if (value.length > MAX_CHARACTERS && characters(value) > MAX_CHARACTERS) {
      refusals.push(`${name} has ${characters(value)} characters, more than ${MAX_CHARACTERS}`)
    }
    if (value.includes('\0')) refusals.push(`${name} holds U+0000`)
  }
  return [...refusals, ...propertyRefusals(process.properties)]
}

/** @returns What the database would refuse of a stream. */
export function streamRefusals(stream: {
  readonly tags: readonly string[]
  readonly properties: Readonly<Record<string, string>>
}): string[] {
  const tags = stream.tags.some((tag) => tag.includes('\0')) ? ['a tag holds U+0000'] : []
  return [...tags, ...propertyRefusals(stream.properties)]
}

function propertyRefusals(properties: Readonly<Record<string, string>>): string[] {
  const bad = Object.entries(properties).find(([key, value]) => key.includes('\0') || value.includes('\0'))
  return bad === undefined ? [] : [`the property ${JSON.stringify(bad[0])} holds U+0000`]
}

function characters(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}

/** Keys that only a server may write; those of a client are dropped. */
const RESERVED_PREFIX = 'micromegas.'

/** Splits properties into those that are kept and the keys of those that are dropped. */
export function withoutReserved(properties: Readonly<Record<string, string>>): {
  readonly kept: Readonly<Record<string, string>>
  readonly dropped: readonly string[]
} {
  const dropped = Object.keys(properties).filter((key) => key.startsWith(RESERVED_PREFIX))
  if (dropped.length === 0) return { kept: properties, dropped }
  const kept = Object.entries(properties).filter(([key]) => !key.startsWith(RESERVED_PREFIX))
  return { kept: Object.fromEntries(kept), dropped }
}
