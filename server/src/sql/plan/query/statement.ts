import { planError, type SqlError, unsupported } from '../../sql-error.ts'
import { type Field, typeName, UTF8 } from '../../types/arrow-type.ts'
import { rowsSql, showFunctions } from '../../views/information-schema.ts'
import { type Ast, kindOf, nameOf, objectName, placeOf } from '../ast.ts'
import type { BoundQuery, Top } from '../context.ts'
import { quote } from '../expression/expr.ts'
import { parseStatement } from '../parse.ts'
import type { Planner } from '../planner.ts'

/** What a statement comes to. */
export interface Plan {
  /** DuckDB SQL, whole. */
  readonly sql: string
  readonly fields: readonly Field[]
  /** The plan is asked for, not the rows. */
  readonly explain?: 'plan' | 'analyze' | undefined
  /** Where a part of the time may hold all rows of the answer. */
  readonly top?: Top | undefined
}

/**
 * Reads a statement and turns it into SQL of the database, with the names and types of the reference.
 *
 * @throws {@link SqlError} for everything but a query, and for queries that mean nothing.
 */
export function planStatement(sql: string, planner: Planner): Plan {
  const statement = parseStatement(sql)
  const bound = bindStatement(statement, planner)
  const { explain, fields } = bound
  // What else the query reads would be cut short with it.
  const top = planner.scanCount === 1 && explain === undefined ? bound.top : undefined
  return { sql: planner.finish(bound.sql), fields, explain, top }
}

type Bound = BoundQuery & { readonly explain?: Plan['explain'] }

function bindStatement(statement: Ast, planner: Planner): Bound {
  const kind = kindOf(statement)
  switch (kind) {
    case 'Query':
      return planner.bindQuery(statement.Query, new Map(), undefined)
    case 'Explain':
      return explain(statement.Explain, planner)
    case 'ExplainTable':
      return describeTable(statement.ExplainTable, planner)
    case 'ShowTables':
      return subquery('SELECT * FROM information_schema.tables', planner)
    case 'ShowColumns':
      return showColumns(statement.ShowColumns, planner)
    case 'ShowFunctions':
      return fromSource(showFunctions(statement.ShowFunctions.filter?.Like as string | undefined))
    case 'ShowVariable':
      return showVariable(statement.ShowVariable, planner)
    default:
      throw refusal(kind)
  }
}

/** As the reference's library names what a read-only session does not do. */
function refusal(kind: string): SqlError {
  if (/^(Create|Drop|Alter|Truncate|Comment)/.test(kind)) return planError(`DDL not supported: ${kind}`)
  if (/^(Insert|Update|Delete|Merge|Copy)/.test(kind)) return planError(`DML not supported: ${kind}`)
  if (/^(Set|Reset|StartTransaction|Commit|Rollback|Prepare|Execute|Deallocate|Use|Begin)/.test(kind)) {
    return planError(`Statement not supported: ${kind}`)
  }
  return unsupported(`Unsupported SQL statement: ${kind}`)
}

const EXPLAIN_FIELDS: readonly Field[] = [
  { name: 'plan_type', type: UTF8, nullable: false },
  { name: 'plan', type: UTF8, nullable: false },
]

function explain(node: Ast, planner: Planner): Bound {
  const inner = node.statement
  if (kindOf(inner) !== 'Query') throw refusal(kindOf(inner))
  const bound = planner.bindQuery(inner.Query, new Map(), undefined)
  if (node.describe_alias === 'Describe' || node.describe_alias === 'Desc') return described(bound.fields)
  return { sql: bound.sql, fields: EXPLAIN_FIELDS, explain: node.analyze ? 'analyze' : 'plan' }
}

const DESCRIBE_FIELDS: readonly Field[] = ['column_name', 'data_type', 'is_nullable'].map((name) => ({
  name,
  type: UTF8,
  nullable: false,
}))

function described(fields: readonly Field[]): Bound {
  const rows = fields.map((field) => [field.name, typeName(field.type), field.nullable ? 'YES' : 'NO'])
  return { sql: rowsSql(DESCRIBE_FIELDS, rows), fields: DESCRIBE_FIELDS }
}

function describeTable(node: Ast, planner: Planner): Bound {
  const idents = objectName(node.table_name)
  const name = nameOf(idents.at(-1)!)
  const schema = idents.length > 1 ? nameOf(idents.at(-2)!) : undefined
  const source = planner.catalog.table(name, schema)
  if (source === undefined) {
    throw planError(`table 'datafusion.${schema ?? 'public'}.${name}' not found`, placeOf(idents[0]))
  }
  return described(source.fields)
}

function fromSource(source: ReturnType<typeof showFunctions>): Bound {
  return { sql: source.sql(new Set(source.fields.keys()), { equals: new Map() }), fields: source.fields }
}

function subquery(sql: string, planner: Planner): Bound {
  return planner.bindQuery(parseStatement(sql).Query, new Map(), undefined)
}

function showColumns(node: Ast, planner: Planner): Bound {
  const parent = node.show_options?.show_in?.parent_name
  if (!parent) throw unsupported('SHOW COLUMNS without a table')
  const idents = objectName(parent)
  const table = nameOf(idents.at(-1)!)
  const schema = idents.length > 1 ? nameOf(idents.at(-2)!) : 'public'
  if (planner.catalog.table(table, schema) === undefined) {
    throw planError(`table 'datafusion.${schema}.${table}' not found`, placeOf(idents[0]))
  }
  return subquery(
    `SELECT table_catalog, table_schema, table_name, column_name, data_type, is_nullable
     FROM information_schema.columns WHERE table_schema = ${quote(schema)} AND table_name = ${quote(table)} ORDER BY ordinal_position`,
    planner,
  )
}

function showVariable(node: Ast, planner: Planner): Bound {
  const name = (node.variable as Ast[]).map(nameOf).join('.')
  if (name === 'all' || name === 'all.verbose') {
    return subquery('SELECT name, value FROM information_schema.df_settings ORDER BY name', planner)
  }
  const settings = 'SELECT name, value FROM information_schema.df_settings'
  const wanted = name === 'timezone' || name === 'time.zone' ? 'datafusion.execution.time_zone' : name
  return subquery(`${settings} WHERE name = ${quote(wanted)}`, planner)
}
