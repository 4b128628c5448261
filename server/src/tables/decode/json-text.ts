/** A flat set of properties as JSON text, its keys in the order of their bytes: equal sets are equal texts. */
export function sortedJson(properties: Readonly<Record<string, string>>): string {
  const keys = Object.keys(properties)
  if (keys.length === 0) return '{}'
  keys.sort(compareCodePoints)
  return `{${keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(properties[key])}`).join(',')}}`
}

/** Orders texts by code point, which is the order of their UTF-8 bytes; `<` orders by UTF-16 units. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) {
      const isHighX = x >= 0xd800 && x <= 0xdfff
      const isHighY = y >= 0xd800 && y <= 0xdfff
      return isHighX === isHighY ? x - y : isHighX ? 1 : -1
    }
  }
  return a.length - b.length
}
