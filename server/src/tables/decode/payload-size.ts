/** Bytes of a payload in CBOR: two byte strings under their names. */
export function payloadSize(dependencies: number, objects: number): number {
  const head = (length: number): number => (length < 24 ? 1 : length < 256 ? 2 : length < 65_536 ? 3 : 5)
  const names = 1 + 'dependencies'.length + 1 + 'objects'.length
  return 1 + names + head(dependencies) + dependencies + head(objects) + objects
}
