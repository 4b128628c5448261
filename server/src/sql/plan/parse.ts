import { init, Parser } from '@guanmingchiu/sqlparser-ts'
import { SqlError, unsupported } from '../sql-error.ts'
import type { Ast } from './ast.ts'

/** Longest query, in characters. */
const MAX_SQL_LENGTH = 1_000_000

/** Loads the parser; it is the one the reference servers use. */
export async function loadParser(): Promise<void> {
  await init()
}

/**
 * Reads a query.
 *
 * @throws {@link SqlError} `INVALID_ARGUMENT` for what is no SQL, `UNIMPLEMENTED` for several statements.
 */
export function parseStatement(sql: string): Ast {
  if (sql.length > MAX_SQL_LENGTH) {
    throw new SqlError('INVALID_ARGUMENT', `SQL error: the query is longer than ${MAX_SQL_LENGTH} characters`)
  }
  let statements: Ast[]
  try {
    statements = JSON.parse(Parser.parseToJson(sql, 'generic')) as Ast[]
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SqlError('INVALID_ARGUMENT', `SQL error: ${rustError(reason)}`, { cause: error })
  }
  if (statements.length > 1) {
    throw unsupported('The context currently only supports a single SQL statement')
  }
  if (statements.length === 0) {
    throw new SqlError('UNIMPLEMENTED', 'This feature is not implemented: The context requires a statement!')
  }
  return statements[0]
}

/** The parser's error as the reference prints it: the name of its kind around the text. */
function rustError(reason: string): string {
  const text = reason.replace(/^sql parser error: /, '')
  if (/^recursion limit exceeded/i.test(text)) return 'RecursionLimitExceeded'
  const kind = / at Line: \d+, Column: \d+$/.test(text) && /^(Unterminated|Unexpected|Tokenizer)/.test(text)
  return `${kind ? 'TokenizerError' : 'ParserError'}(${JSON.stringify(text)})`
}
