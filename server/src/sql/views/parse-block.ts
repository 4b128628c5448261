import type { PropertyList, TransitObject, TransitValue } from 'micromegas/wire'
import { ColumnBuffer } from '../../tables/decode/column-buffer.ts'
import { compareCodePoints } from '../../tables/decode/json-text.ts'
import type { Tables } from '../../tables/tables.ts'
import type { TableSource } from '../plan/context.ts'
import type { Expr } from '../plan/expression/expr.ts'
import { type Place, planError, SqlError } from '../sql-error.ts'
import { textArgument } from './arguments.ts'
import { FIELDS } from './fields.ts'
import type { Preparations } from './session-plan.ts'
import { parseUuidText } from './uuid.ts'

/** All events of one block, of whatever types. */
export function parseBlock(
  args: readonly Expr[],
  place: Place | undefined,
  tables: Tables,
  preparations: Preparations,
): TableSource {
  const text = textArgument('parse_block', args, 0, 'the block ID', place)
  const blockId = parseUuidText(text)
  if (blockId === undefined) throw planError(`parse_block: '${text}' is not a valid block id`, place)
  const block = tables.registry.blocks.get(blockId)
  if (block === undefined) throw planError(`parse_block: block '${text}' not found in \`blocks\`.`, place)
  const name = `parsed_${preparations.steps.length}`
  return {
    fields: FIELDS.parse_block,
    sql: () => {
      preparations.steps.push(async (connection) => {
        const buffer = new ColumnBuffer(name, ['i64', 'text', 'text'])
        let index = block.objectOffset
        for (const object of await readObjects(tables, blockId)) {
          buffer.push(index++, object.typeName, jsonOf(object))
        }
        await connection.run(`CREATE TEMP TABLE ${name}(c0 BIGINT, c1 VARCHAR, c2 VARCHAR)`)
        const { columns, rowCount } = buffer.take()
        await connection.append(name, columns, rowCount)
      })
      return `SELECT c0, c1, c2 FROM ${name}`
    },
  }
}

async function readObjects(tables: Tables, blockId: string): Promise<TransitObject[]> {
  try {
    return await tables.readObjects(blockId)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SqlError('INTERNAL', `External error: parse_block: ${reason}`, { cause })
  }
}

/** A value of the wire as JSON text with sorted keys. */
function jsonOf(value: TransitValue | undefined): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}`
  if (typeof value === 'number') return numberText(value)
  if (value instanceof Uint8Array) return `"<binary ${value.length} bytes>"`
  if (isPropertyList(value)) {
    return jsonObject('property_set', new Map(value.map(([key, text]) => [key, JSON.stringify(text)])))
  }
  return jsonObject(
    value.typeName,
    new Map([...value.members].map(([name, member]) => [name, jsonOf(member)])),
  )
}

function isPropertyList(value: PropertyList | TransitObject): value is PropertyList {
  return Array.isArray(value)
}

function jsonObject(typeName: string, members: Map<string, string>): string {
  const all = [...members].filter(([name]) => name !== '__type')
  all.push(['__type', members.get('__type') ?? JSON.stringify(typeName)])
  all.sort(([a], [b]) => compareCodePoints(a, b))
  return `{${all.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`
}

function numberText(value: number): string {
  return Number.isFinite(value) ? `${value}` : 'null'
}
