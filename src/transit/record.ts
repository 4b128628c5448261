import type { NumericKind, TransitObject, TransitValue } from './value.ts'

/** What the records of one type have in common, so that a record itself holds nothing but its values. */
export class RecordShape {
  readonly typeName: string
  readonly names: readonly string[]
  readonly kinds: readonly (NumericKind | undefined)[]
  readonly #slots: ReadonlyMap<string, number>

  /**
   * @param kinds - The stored type of each numeric member, `undefined` for the others.
   */
  constructor(
    typeName: string,
    members: readonly (readonly [name: string, kind: NumericKind | undefined])[],
  ) {
    this.typeName = typeName
    this.names = members.map(([name]) => name)
    this.kinds = members.map(([, kind]) => kind)
    const slots = new Map<string, number>()
    for (const [index, name] of this.names.entries()) if (!slots.has(name)) slots.set(name, index)
    this.#slots = slots
  }

  /** Position of the first member of a name. */
  slot(name: string): number | undefined {
    return this.#slots.get(name)
  }

  /** Makes a record of this shape; `values` are in the order of the shape's members. */
  record(values: readonly TransitValue[]): TransitRecord {
    return new TransitRecord(this, values)
  }
}

/** A decoded record. */
export class TransitRecord implements TransitObject {
  readonly #shape: RecordShape
  readonly #values: readonly TransitValue[]

  constructor(shape: RecordShape, values: readonly TransitValue[]) {
    this.#shape = shape
    this.#values = values
  }

  get typeName(): string {
    return this.#shape.typeName
  }

  get members(): ReadonlyMap<string, TransitValue> {
    const members = new Map<string, TransitValue>()
    for (const [index, name] of this.#shape.names.entries()) {
      if (!members.has(name)) members.set(name, this.#values[index]!)
    }
    return members
  }

  get(name: string): TransitValue | undefined {
    const slot = this.#shape.slot(name)
    return slot === undefined ? undefined : this.#values[slot]
  }

  kind(name: string): NumericKind | undefined {
    const slot = this.#shape.slot(name)
    return slot === undefined ? undefined : this.#shape.kinds[slot]
  }
}
