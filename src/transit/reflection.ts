/**
 * Type reflection: what a stream says about the layout of its records, so that a reader needs no schema.
 *
 * Source of the layout: Micromegas transit format, `UserDefinedType` and `Member` of the reference crate
 * `micromegas-transit`.
 */

/** One member of a fixed-size record. */
export interface Member {
  /** Key under which readers find the value; the first member of a name wins. */
  readonly name: string
  /**
   * `u8`, `u32`, `u64`, `i64`, `f64` (also spelled `uint8`, `uint32`, `uint64`, `int64`) or the name of another type of
   * the same array. Ignored when {@link isReference} is true.
   */
  readonly typeName: string
  /** Bytes from the start of the object. */
  readonly offset: number
  /** Bytes. */
  readonly size: number
  /** True: the first 8 bytes are the id of a dependency, whose value stands in for the member. */
  readonly isReference: boolean
}

/** One record type of a stream. Its position in the stream's array is the type index written before each record. */
export interface UserDefinedType {
  /** Readers interpret a record by this exact name. */
  readonly name: string
  /** Bytes of a fixed-size record; 0 for a dynamic type, whose records carry a u32 size. */
  readonly size: number
  /** Members of a fixed-size type; empty for a dynamic one. */
  readonly members: readonly Member[]
  /** True: a by-id handle, decoded as the value of its member `id`. */
  readonly isReference: boolean
}

const INTRINSIC_SIZES = { u8: 1, u32: 4, u64: 8, i64: 8, f64: 8, ref: 8 } as const

/** A member type as {@link fixedType} takes it: an intrinsic, or `ref` for a dependency id. */
export type MemberType = keyof typeof INTRINSIC_SIZES

/** Declares a fixed-size type whose members are packed in the order given. */
export function fixedType(name: string, members: Readonly<Record<string, MemberType>>): UserDefinedType {
  let offset = 0
  const packed = Object.entries(members).map(([memberName, type]): Member => {
    const member: Member = {
      name: memberName,
      typeName: type === 'ref' ? 'u64' : type,
      offset,
      size: INTRINSIC_SIZES[type],
      isReference: type === 'ref',
    }
    offset += member.size
    return member
  })
  return { name, size: offset, members: packed, isReference: false }
}

/** Declares a dynamic type: readers know its layout by name. */
export function dynamicType(name: string): UserDefinedType {
  return { name, size: 0, members: [], isReference: false }
}

/** Declares a by-id handle: 8 bytes that decode to the dependency of that id. */
export function referenceType(name: string): UserDefinedType {
  return { ...fixedType(name, { id: 'ref' }), isReference: true }
}
