/** What a parsed member holds: u64 and i64 are `bigint`, u8, u32 and f64 are `number`. */
export type TransitValue = string | number | bigint | Uint8Array | PropertyList | TransitObject

/** A decoded record. Member names come from the wire: a `Map` keeps names such as `__proto__` harmless. */
export interface TransitObject {
  readonly typeName: string
  readonly members: ReadonlyMap<string, TransitValue>
}

/** The pairs of a property set, in wire order; a repeated key stands as often as it was sent. */
export type PropertyList = readonly (readonly [name: string, value: string])[]
