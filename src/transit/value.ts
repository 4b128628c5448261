/** What a parsed member holds: u64 and i64 are `bigint`, u8, u32 and f64 are `number`. */
export type TransitValue = string | number | bigint | Uint8Array | PropertyList | TransitObject

/** How a numeric member was stored; readers accept some of them for others, see `coercions.ts`. */
export type NumericKind = 'u8' | 'u32' | 'u64' | 'i64' | 'f64'

/** A decoded record. Member names come from the wire: they are looked up, never used as property names. */
export interface TransitObject {
  readonly typeName: string
  /** All members in wire order, made at each call; of a repeated name, the first. Prefer {@link get} for one member. */
  readonly members: ReadonlyMap<string, TransitValue>
  /** One member, `undefined` when there is none of that name. */
  get(name: string): TransitValue | undefined
  /** The stored type of a numeric member; `undefined` for every other member. */
  kind(name: string): NumericKind | undefined
}

/** The pairs of a property set, in wire order; a repeated key stands as often as it was sent. */
export type PropertyList = readonly (readonly [name: string, value: string])[]
