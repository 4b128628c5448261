import { readIdAt } from './byte-reader.ts'
import type { Dependencies } from './dependencies.ts'
import { formatError } from './format-error.ts'
import { RecordShape } from './record.ts'
import type { Member, UserDefinedType } from './reflection.ts'
import type { NumericKind, TransitValue } from './value.ts'

/** Decodes a value that starts at `offset`; its bytes are known to be in bounds. */
export type ValueDecoder = (view: DataView, offset: number, dependencies: Dependencies) => TransitValue

/** A type whose layout has been checked once, so that decoding a record checks nothing but its references. */
export interface CompiledType {
  /** Bytes of a record. */
  readonly size: number
  readonly decode: ValueDecoder
  /** Set when decoding yields a number: only by-id handles over a plain number do. */
  readonly kind: NumericKind | undefined
  /** Values that decoding one record yields, those of nested records included. */
  readonly valueCount: number
  /** Types nested in this one, 1 for none. */
  readonly depth: number
}

/** Nesting that no real layout reaches; reference layouts nest twice. Bounds the recursion of a decode. */
const MAX_DEPTH = 16
/**
 * Members may overlap, so a small record could be declared to hold any number of them. At most this many values per
 * byte keeps the work of a block proportional to its size.
 */
const MAX_VALUES_PER_BYTE = 8

const INTRINSICS = new Map<string, { kind: NumericKind; size: number; decode: ValueDecoder }>()
function intrinsic(names: readonly string[], kind: NumericKind, size: number, decode: ValueDecoder): void {
  for (const name of names) INTRINSICS.set(name, { kind, size, decode })
}
intrinsic(['u8', 'uint8'], 'u8', 1, (view, offset) => view.getUint8(offset))
intrinsic(['u32', 'uint32'], 'u32', 4, (view, offset) => view.getUint32(offset, true))
intrinsic(['u64', 'uint64'], 'u64', 8, (view, offset) => view.getBigUint64(offset, true))
intrinsic(['i64', 'int64'], 'i64', 8, (view, offset) => view.getBigInt64(offset, true))
intrinsic(['f64'], 'f64', 8, (view, offset) => view.getFloat64(offset, true))

const REFERENCE_BYTES = 8

/**
 * The types of one metadata array. A type is compiled when the first record of it is read: like in the reference, a
 * type that cannot be decoded harms only the blocks that hold such a record.
 */
export class TypeTable {
  readonly types: readonly UserDefinedType[]
  readonly #firstByName = new Map<string, number>()
  readonly #compiled = new Map<number, CompiledType>()
  readonly #inProgress = new Set<number>()

  constructor(types: readonly UserDefinedType[]) {
    this.types = types
    for (const [index, type] of types.entries()) {
      if (!this.#firstByName.has(type.name)) this.#firstByName.set(type.name, index)
    }
  }

  /**
   * The first type of a name.
   *
   * @throws TelemetryError `ERR_TELEMETRY_FORMAT` when the array has none, and as {@link compile} does.
   */
  compileNamed(name: string): CompiledType {
    const index = this.#firstByName.get(name)
    if (index === undefined) throw formatError(`type ${name}`, 'the metadata does not list it')
    return this.compile(index)
  }

  /**
   * The fixed layout of the type at an index of the array.
   *
   * @throws TelemetryError `ERR_TELEMETRY_FORMAT` when records of the type cannot be decoded.
   */
  compile(index: number): CompiledType {
    const known = this.#compiled.get(index)
    if (known !== undefined) return known
    const type = this.types[index]
    if (type === undefined) throw formatError('type', `index ${index} is past the ${this.types.length} types`)
    if (this.#inProgress.has(index)) throw formatError(`type ${type.name}`, 'it contains itself')
    if (this.#inProgress.size >= MAX_DEPTH) {
      throw formatError(`type ${type.name}`, `it is nested more than ${MAX_DEPTH} deep`)
    }
    this.#inProgress.add(index)
    try {
      const compiled = this.#compileMembers(type)
      this.#compiled.set(index, compiled)
      return compiled
    } finally {
      this.#inProgress.delete(index)
    }
  }

  #compileMembers(type: UserDefinedType): CompiledType {
    requireByteCount(type.size, `size of type ${type.name}`)
    const valueLimit = MAX_VALUES_PER_BYTE * (type.size + 1)
    const offsets: number[] = []
    const decoders: ValueDecoder[] = []
    const members: [string, NumericKind | undefined][] = []
    let valueCount = 1
    let depth = 0
    for (const member of type.members) {
      const compiled = this.#compileMember(member, type)
      valueCount += compiled.valueCount
      if (valueCount > valueLimit) {
        throw formatError(
          `type ${type.name}`,
          `it declares more than ${valueLimit} values in ${type.size} bytes`,
        )
      }
      depth = Math.max(depth, compiled.depth)
      offsets.push(member.offset)
      decoders.push(compiled.decode)
      members.push([member.name, compiled.kind])
    }
    if (depth >= MAX_DEPTH) throw formatError(`type ${type.name}`, `it nests more than ${MAX_DEPTH} types`)
    const shape = new RecordShape(type.name, members)
    const readValues = (view: DataView, offset: number, dependencies: Dependencies): TransitValue[] => {
      const values: TransitValue[] = []
      for (let i = 0; i < decoders.length; i++) {
        values.push(decoders[i]!(view, offset + offsets[i]!, dependencies))
      }
      return values
    }
    if (!type.isReference) {
      return {
        size: type.size,
        decode: (view, offset, dependencies) => shape.record(readValues(view, offset, dependencies)),
        kind: undefined,
        valueCount,
        depth: depth + 1,
      }
    }
    const id = shape.slot('id')
    if (id === undefined) throw formatError(`type ${type.name}`, 'it is a reference without a member id')
    return {
      size: type.size,
      // the other members are read too: one that refers to nothing makes the record unreadable
      decode: (view, offset, dependencies) => readValues(view, offset, dependencies)[id]!,
      kind: shape.kinds[id],
      valueCount,
      depth: depth + 1,
    }
  }

  #compileMember(member: Member, owner: UserDefinedType): CompiledType {
    const what = `member ${member.name} of type ${owner.name}`
    requireByteCount(member.offset, `offset of ${what}`)
    requireByteCount(member.size, `size of ${what}`)
    if (member.offset + member.size > owner.size) {
      throw formatError(what, `it ends at byte ${member.offset + member.size} of ${owner.size}`)
    }
    if (member.isReference) {
      if (member.size < REFERENCE_BYTES) {
        throw formatError(what, `a reference takes ${REFERENCE_BYTES} bytes, it has ${member.size}`)
      }
      const decode: ValueDecoder = (view, offset, dependencies) =>
        dependencies.resolve(readIdAt(view, offset), what)
      return { size: member.size, decode, kind: undefined, valueCount: 1, depth: 0 }
    }
    const number = INTRINSICS.get(member.typeName)
    if (number !== undefined) {
      if (member.size !== number.size) {
        throw formatError(what, `type ${member.typeName} takes ${number.size} bytes, it has ${member.size}`)
      }
      return { ...number, valueCount: 1, depth: 0 }
    }
    const index = this.#firstByName.get(member.typeName)
    if (index === undefined) throw formatError(what, `type ${member.typeName} is unknown`)
    const nested = this.compile(index)
    if (member.offset + nested.size > owner.size) {
      throw formatError(
        what,
        `type ${member.typeName} ends at byte ${member.offset + nested.size} of ${owner.size}`,
      )
    }
    return nested
  }
}

/** Metadata comes from the wire: sizes are any number until they are checked. */
function requireByteCount(value: number, what: string): void {
  if (!Number.isInteger(value) || value < 0) throw formatError(what, `${value} is no number of bytes`)
}
