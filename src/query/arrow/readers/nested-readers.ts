import { corrupt } from '../ipc-message.ts'
import type { DataType } from '../schema.ts'
import { type ArrayNode, type BufferCursor, checkOffsets } from './buffer-cursor.ts'
import type { ColumnReader, ReadContext } from './column-reader.ts'
import type { Read } from './temporal-readers.ts'

/** Sets a member, whatever it is called. */
export function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}

/** Lists are arrays, structs objects, maps `Map`s; of a union and of run ends the value itself. */
export function nestedReader(type: DataType, node: ArrayNode, context: ReadContext): Read {
  switch (type.kind) {
    case 'list': {
      const spans = listSpans(type.layout, node.length, context.cursor)
      const items = context.part(type.item.type)
      spans.check(items.length)
      return (index) => slice(items, spans.begin(index), spans.end(index))
    }
    case 'fixedSizeList': {
      const items = context.part(type.item.type)
      if (items.length < type.size * node.length) throw corrupt('a list has too few items')
      return (index) => slice(items, index * type.size, (index + 1) * type.size)
    }
    case 'struct':
      return structReader(type, node, context)
    case 'map':
      return mapReader(type, node, context)
    case 'union':
      return unionReader(type, node, context)
    case 'runEndEncoded':
      return runReader(type, context)
    default:
      throw corrupt(`a ${type.kind} stands where a nested type should`)
  }
}

function slice(items: ColumnReader, begin: number, end: number): unknown[] {
  const list: unknown[] = []
  for (let i = begin; i < end; i++) list.push(items.read(i))
  return list
}

interface Spans {
  begin(index: number): number
  end(index: number): number
  check(items: number): void
}

function listSpans(
  layout: 'plain' | 'large' | 'view' | 'largeView',
  length: number,
  cursor: BufferCursor,
): Spans {
  if (layout === 'plain' || layout === 'large') {
    const offsets = cursor.offsets(length, layout === 'large')
    return {
      begin: (index) => offsets[index]!,
      end: (index) => offsets[index + 1]!,
      check: (items) => checkOffsets(offsets, items),
    }
  }
  const numbers = (): Int32Array | Float64Array =>
    layout === 'view'
      ? cursor.typed(Int32Array, length)
      : Float64Array.from(cursor.typed(BigInt64Array, length), Number)
  const [offsets, sizes] = [numbers(), numbers()]
  return {
    begin: (index) => offsets[index]!,
    end: (index) => offsets[index]! + sizes[index]!,
    check(items) {
      for (let i = 0; i < length; i++) {
        if (sizes[i]! < 0 || offsets[i]! < 0 || offsets[i]! + sizes[i]! > items) {
          throw corrupt('a list lies outside of its items')
        }
      }
    },
  }
}

function structReader(
  type: Extract<DataType, { readonly kind: 'struct' }>,
  node: ArrayNode,
  context: ReadContext,
): Read {
  const members = type.fields.map((field) => context.part(field.type))
  if (members.some((member) => member.length < node.length))
    throw corrupt('a struct has members of unlike length')
  return (index) => {
    const object: Record<string, unknown> = {}
    for (const [i, field] of type.fields.entries()) setMember(object, field.name, members[i]!.read(index))
    return object
  }
}

function mapReader(
  type: Extract<DataType, { readonly kind: 'map' }>,
  node: ArrayNode,
  context: ReadContext,
): Read {
  const offsets = context.cursor.offsets(node.length, false)
  const entries = context.cursor.node()
  context.cursor.validity(entries)
  const keys = context.part(type.key.type)
  const values = context.part(type.value.type)
  checkOffsets(offsets, Math.min(entries.length, keys.length, values.length))
  return (index) => {
    const map = new Map<unknown, unknown>()
    for (let i = offsets[index]!; i < offsets[index + 1]!; i++) map.set(keys.read(i), values.read(i))
    return map
  }
}

function unionReader(
  type: Extract<DataType, { readonly kind: 'union' }>,
  node: ArrayNode,
  context: ReadContext,
): Read {
  const V5 = 4
  if (context.version < V5) context.cursor.bytes() // a validity bitmap that no later version has
  const typeIds = context.cursor.typed(Int8Array, node.length)
  const offsets = type.mode === 'dense' ? context.cursor.typed(Int32Array, node.length) : undefined
  const members = type.fields.map((field) => context.part(field.type))
  const byId = new Map(type.typeIds.map((id, i) => [id, members[i]]))
  return (index) => {
    const member = byId.get(typeIds[index]!)
    const at = offsets === undefined ? index : offsets[index]!
    if (member === undefined || at < 0 || at >= member.length) throw corrupt('a union has no such member')
    return member.read(at)
  }
}

/** The value at an index is that of the first run that ends behind it. */
function runReader(type: Extract<DataType, { readonly kind: 'runEndEncoded' }>, context: ReadContext): Read {
  const ends = context.part(type.runEnds.type).values
  const values = context.part(type.values.type)
  if (ends === undefined || ends.length > values.length) throw corrupt('run ends are not whole numbers')
  return (index) => {
    let [low, high] = [0, ends.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (Number(ends[middle]) > index) high = middle
      else low = middle + 1
    }
    if (low >= values.length) throw corrupt('run ends stop too early')
    return values.read(low)
  }
}
