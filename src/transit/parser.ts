import { ByteReader, type DependencyId, dependencyId } from './byte-reader.ts'
import { isPropertyList, isTransitObject, memberAsString, memberAsU64 } from './coercions.ts'
import { Dependencies } from './dependencies.ts'
import { formatError, locateError } from './format-error.ts'
import { RecordShape } from './record.ts'
import type { UserDefinedType } from './reflection.ts'
import { decodeStrictUtf8 } from './strings.ts'
import { type CompiledType, TypeTable } from './type-table.ts'
import type { TransitObject, TransitValue } from './value.ts'

/** What the reader of a dynamic type needs besides the bytes. */
export interface RecordContext {
  /** Name of the record's type. */
  readonly typeName: string
  /**
   * The value of a dependency.
   *
   * @throws TelemetryError `ERR_TELEMETRY_FORMAT` when the block has none of that id.
   */
  resolve(id: DependencyId, what: string): TransitValue
  /**
   * Reads a value of the first type of that name in the stream's `objectsMetadata`, as many bytes as that type says.
   *
   * @throws TelemetryError `ERR_TELEMETRY_FORMAT` when the metadata has none or the bytes do not suffice.
   */
  readNested(bytes: ByteReader, typeName: string): TransitValue
}

/**
 * Reads one object of a dynamic type, whose layout is known by name only. It must not read past the window it is given;
 * bytes it leaves are ignored.
 */
export type DynamicReader = (bytes: ByteReader, context: RecordContext) => TransitObject

/** The layout of a stream's records. */
export interface RecordTypes {
  readonly dependenciesMetadata: readonly UserDefinedType[]
  readonly objectsMetadata: readonly UserDefinedType[]
}

const NO_MEMBERS: readonly TransitValue[] = []

/**
 * Reads the blocks of one stream. Layouts are checked and compiled once per stream, at the first record of each type.
 *
 * The input is taken as hostile: whatever the bytes and the metadata, reading ends in time and memory proportional to
 * the size of the block, or throws `ERR_TELEMETRY_FORMAT`.
 */
export class BlockParser {
  readonly #dependencyTypes: TypeTable
  readonly #objectTypes: TypeTable
  readonly #readers: ReadonlyMap<string, DynamicReader>
  readonly #unknownShapes = new Map<string, RecordShape>()

  /**
   * @param types - The stream's metadata, in the order sent.
   * @param readers - By type name, how to read the objects of dynamic types.
   */
  constructor(types: RecordTypes, readers: ReadonlyMap<string, DynamicReader>) {
    this.#dependencyTypes = new TypeTable(types.dependenciesMetadata)
    this.#objectTypes = new TypeTable(types.objectsMetadata)
    this.#readers = readers
  }

  /**
   * Reads one block. The dependencies are read at once, the objects as they are asked for; every object record yields
   * one value, so that the position of a value is the index of its event.
   *
   * An object of a dynamic type without a reader has no members: new event types do not make a block unreadable. A
   * fixed-size type is decoded whatever its name.
   *
   * @param dependencies - The uncompressed dependency section.
   * @param objects - The uncompressed object section. Byte members of the values share its memory.
   * @throws TelemetryError `ERR_TELEMETRY_FORMAT` when the block is corrupt, here or from the iteration; what was
   * yielded before is of no use then.
   */
  parse(dependencies: Uint8Array, objects: Uint8Array): Generator<TransitObject, void, undefined> {
    return this.#parseObjects(objects, this.#parseDependencies(dependencies))
  }

  #parseDependencies(section: Uint8Array): Dependencies {
    const bytes = new ByteReader(section)
    const dependencies = new Dependencies()
    for (let index = 0; bytes.remaining > 0; index++) {
      const start = bytes.position
      let typeName = 'unknown type'
      try {
        const typeIndex = bytes.readU8('type index')
        const type = typeAt(this.#dependencyTypes, typeIndex)
        typeName = type.name
        bytes.enter(recordSize(bytes, type))
        this.#parseDependency(bytes, typeIndex, type, dependencies)
        bytes.leave()
      } catch (error) {
        throw locateError(error, `dependency ${index} at byte ${start} (${typeName})`)
      }
    }
    return dependencies
  }

  /** The name decides before the size does: a fixed-size `StaticString` is a string too. */
  #parseDependency(
    bytes: ByteReader,
    typeIndex: number,
    type: UserDefinedType,
    dependencies: Dependencies,
  ): void {
    switch (type.name) {
      case 'StaticString': {
        const id = bytes.readId('id')
        dependencies.add(id, decodeStrictUtf8(bytes.bytes, bytes.position, bytes.end))
        return
      }
      case 'StaticStringDependency':
        dependencies.add(bytes.readId('id'), bytes.readString('string'))
        return
      case 'PropertySetDependency':
        this.#parsePropertySet(bytes, dependencies)
        return
    }
    if (type.size === 0) throw formatError('dependency', 'its type has no fixed size and no known name')
    const value = this.#dependencyTypes.compile(typeIndex).decode(bytes.view, bytes.position, dependencies)
    // a by-id handle at the top yields what it refers to: a second record of that id, or nothing to keep
    if (isPropertyList(value)) throw formatError('dependency', 'a property set is no record')
    if (isTransitObject(value)) dependencies.add(dependencyId(memberAsU64(value, 'id')), value)
  }

  #parsePropertySet(bytes: ByteReader, dependencies: Dependencies): void {
    const id = bytes.readId('id')
    const count = bytes.readU32('count')
    const property = this.#dependencyTypes.compileNamed('Property')
    // before anything is allocated: the count may claim 4 billion properties
    if (property.size === 0 || count > bytes.remaining / property.size) {
      throw formatError(
        'properties',
        `${count} of ${property.size} bytes do not fit in the ${bytes.remaining} bytes left`,
      )
    }
    const pairs: (readonly [string, string])[] = []
    for (let i = 0; i < count; i++) {
      const value = decodeAt(property, bytes, dependencies, 'property')
      if (!isTransitObject(value)) throw formatError('property', 'type Property is a reference')
      pairs.push([memberAsString(value, 'name'), memberAsString(value, 'value')])
    }
    dependencies.add(id, Object.freeze(pairs))
  }

  *#parseObjects(section: Uint8Array, dependencies: Dependencies): Generator<TransitObject, void, undefined> {
    const bytes = new ByteReader(section)
    const context: { -readonly [K in keyof RecordContext]: RecordContext[K] } = {
      typeName: '',
      resolve: (id, what) => dependencies.resolve(id, what),
      readNested: (from, name) => decodeAt(this.#objectTypes.compileNamed(name), from, dependencies, name),
    }
    for (let index = 0; bytes.remaining > 0; index++) {
      const start = bytes.position
      let object: TransitObject
      context.typeName = 'unknown type'
      try {
        const typeIndex = bytes.readU8('type index')
        const type = typeAt(this.#objectTypes, typeIndex)
        context.typeName = type.name
        bytes.enter(recordSize(bytes, type))
        if (type.size === 0) {
          const reader = this.#readers.get(type.name)
          object = reader === undefined ? this.#withoutMembers(type.name) : reader(bytes, context)
        } else {
          const value = this.#objectTypes.compile(typeIndex).decode(bytes.view, bytes.position, dependencies)
          object = isTransitObject(value) ? value : this.#withoutMembers(type.name)
        }
        bytes.leave()
      } catch (error) {
        throw locateError(error, `object ${index} at byte ${start} (${context.typeName})`)
      }
      yield object
    }
  }

  #withoutMembers(typeName: string): TransitObject {
    let shape = this.#unknownShapes.get(typeName)
    if (shape === undefined) {
      shape = new RecordShape(typeName, [])
      this.#unknownShapes.set(typeName, shape)
    }
    return shape.record(NO_MEMBERS)
  }
}

function typeAt(table: TypeTable, index: number): UserDefinedType {
  const type = table.types[index]
  if (type === undefined) throw formatError('type', `index ${index} is past the ${table.types.length} types`)
  return type
}

/** The size a type declares, or for a dynamic type the size word of the record. */
function recordSize(bytes: ByteReader, type: UserDefinedType): number {
  return type.size === 0 ? bytes.readU32('record size') : type.size
}

function decodeAt(
  type: CompiledType,
  bytes: ByteReader,
  dependencies: Dependencies,
  what: string,
): TransitValue {
  return type.decode(bytes.view, bytes.take(type.size, what), dependencies)
}
