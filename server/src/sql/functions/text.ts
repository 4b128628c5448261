import { type Call, countArgs, literalOf, type ScalarFunction } from '../plan/expression/call.ts'
import { cast } from '../plan/expression/cast.ts'
import type { Expr } from '../plan/expression/expr.ts'
import { regexSql } from '../plan/expression/operators.ts'
import { planError } from '../sql-error.ts'
import {
  type ArrowType,
  BINARY,
  BOOLEAN,
  INT32,
  INT64,
  isBinary,
  isInteger,
  isJsonb,
  isString,
  listOf,
  plain,
  UTF8,
  UTF8_VIEW,
} from '../types/arrow-type.ts'
import { argAt, define, integerArg, likeArgument, type Table, textArg, textResult } from './define.ts'

/** Functions of one text that keep a dictionary: upper, lower and their like. */
const MAPPED: readonly (readonly [names: string, duck: string])[] = [
  ['upper', 'upper($)'],
  ['lower', 'lower($)'],
  ['initcap', 'mm_initcap($)'],
  ['reverse', 'reverse($)'],
]

const MEASURED: readonly (readonly [names: string, duck: string])[] = [
  ['character_length char_length length', 'length($)'],
  ['octet_length', 'strlen($)'],
  ['bit_length', '(strlen($) * 8)'],
  ['ascii', "CASE WHEN $ = '' THEN 0 ELSE unicode($) END"],
]

const TESTS: readonly (readonly [name: string, duck: string])[] = [
  ['starts_with', 'starts_with(%)'],
  ['ends_with', 'suffix(%)'],
  ['contains', 'contains(%)'],
]

export function textFunctions(table: Table<ScalarFunction>): void {
  for (const [names, duck] of MAPPED) {
    define(table, names, (call) => {
      countArgs(call, 1)
      const text = textArg(call, 0, names === 'reverse')
      const type = likeArgument(argAt(call, 0), textResult(text))
      return { sql: duck.replaceAll('$', text.sql), type, nullable: text.nullable }
    })
  }
  for (const [names, duck] of MEASURED) {
    define(table, names, (call) => {
      countArgs(call, 1)
      const arg = argAt(call, 0)
      if (isBinary(plain(arg.type)) && names.startsWith('octet')) {
        const bytes = isJsonb(arg.type) ? `mm_jsonb_bytes(${arg.sql})` : arg.sql
        return { sql: `CAST(octet_length(${bytes}) AS INTEGER)`, type: INT32 }
      }
      const text = textArg(call, 0, names.startsWith('character'))
      const type = likeArgument(arg, INT32)
      return { sql: `CAST(${duck.replaceAll('$', text.sql)} AS INTEGER)`, type, nullable: text.nullable }
    })
  }
  for (const [name, duck] of TESTS) {
    define(table, name, (call) => {
      countArgs(call, 2)
      const args = [textArg(call, 0).sql, textArg(call, 1).sql]
      return { sql: duck.replace('%', args.join(', ')), type: BOOLEAN }
    })
  }
  trimming(table)
  padding(table)
  pieces(table)
  joining(table)
  expressions(table)
  encodings(table)
}

function trimming(table: Table<ScalarFunction>): void {
  const sides = { btrim: 'trim', ltrim: 'ltrim', rtrim: 'rtrim' }
  for (const [name, duck] of Object.entries(sides)) {
    define(table, name === 'btrim' ? 'btrim trim' : name, (call) => {
      countArgs(call, 1, 2)
      const text = textArg(call, 0)
      const characters = call.args[1] ? textArg(call, 1).sql : "' '"
      const type = likeArgument(argAt(call, 0), textResult(text))
      return { sql: `${duck}(${text.sql}, ${characters})`, type }
    })
  }
}

function padding(table: Table<ScalarFunction>): void {
  for (const name of ['lpad', 'rpad']) {
    define(table, name, (call) => {
      countArgs(call, 2, 3)
      const text = textArg(call, 0, true)
      const fill = call.args[2] ? textArg(call, 2).sql : "' '"
      const width = `CAST(greatest(${integerArg(call, 1).sql}, 0) AS INTEGER)`
      const sql = `CASE WHEN ${fill} = '' THEN left(${text.sql}, ${width}) ELSE ${name}(${text.sql}, ${width}, ${fill}) END`
      return { sql, type: UTF8 }
    })
  }
  define(table, 'repeat', (call) => {
    countArgs(call, 2)
    const text = textArg(call, 0)
    return { sql: `repeat(${text.sql}, greatest(${integerArg(call, 1).sql}, 0))`, type: textResult(text) }
  })
}

/** A text that is a dictionary or no text at all becomes a view, as with the functions of a fixed list of types. */
function exactText(call: Call, index: number): Expr {
  const arg = argAt(call, index)
  if (isString(arg.type)) return arg
  return cast(arg, UTF8_VIEW)
}

function pieces(table: Table<ScalarFunction>): void {
  for (const name of ['left', 'right']) {
    define(table, name, (call) => {
      countArgs(call, 2)
      const text = exactText(call, 0)
      return { sql: `${name}(${text.sql}, ${integerArg(call, 1).sql})`, type: text.type }
    })
  }
  define(table, 'substr substring', (call) => {
    countArgs(call, 2, 3)
    const text = textArg(call, 0)
    const start = integerArg(call, 1).sql
    const length = call.args[2] && integerArg(call, 2).sql
    const sql =
      length === undefined
        ? `mm_substr(${text.sql}, ${start})`
        : `mm_substr_for(${text.sql}, ${start}, ${length})`
    return { sql, type: textResult(text) }
  })
  define(table, 'split_part', (call) => {
    countArgs(call, 3)
    const text = textArg(call, 0)
    const position = literalOf(call, 2)
    if (position === 0n) {
      throw planError('Invalid argument: field position must not be zero', call.place)
    }
    const sql = `mm_split_part(${text.sql}, ${textArg(call, 1).sql}, ${integerArg(call, 2).sql})`
    return { sql, type: textResult(text) }
  })
  define(table, 'substr_index substring_index', (call) => {
    countArgs(call, 3)
    const text = exactText(call, 0)
    const sql = `mm_substr_index(${text.sql}, ${textArg(call, 1).sql}, ${integerArg(call, 2).sql})`
    return { sql, type: text.type }
  })
  define(table, 'strpos instr position', (call) => {
    countArgs(call, 2)
    return { sql: `CAST(strpos(${textArg(call, 0).sql}, ${textArg(call, 1).sql}) AS INTEGER)`, type: INT32 }
  })
  define(table, 'find_in_set', (call) => {
    countArgs(call, 2)
    const [text, set] = [textArg(call, 0, true).sql, textArg(call, 1).sql]
    const sql = `CAST(coalesce(list_position(string_split(${set}, ','), ${text}), CASE WHEN ${text} IS NOT NULL AND ${set} IS NOT NULL THEN 0 END) AS INTEGER)`
    return { sql, type: INT32 }
  })
  define(table, 'overlay', (call) => {
    countArgs(call, 3, 4)
    const [text, other] = [textArg(call, 0, true).sql, textArg(call, 1).sql]
    const start = integerArg(call, 2).sql
    const length = call.args[3] ? integerArg(call, 3).sql : `length(${other})`
    return { sql: `mm_overlay(${text}, ${other}, ${start}, ${length})`, type: UTF8 }
  })
  define(table, 'translate', (call) => {
    countArgs(call, 3)
    const text = exactText(call, 0)
    return {
      sql: `translate(${text.sql}, ${textArg(call, 1).sql}, ${textArg(call, 2).sql})`,
      type: text.type,
    }
  })
  define(table, 'replace', (call) => {
    countArgs(call, 3)
    return {
      sql: `mm_replace(${textArg(call, 0).sql}, ${textArg(call, 1).sql}, ${textArg(call, 2).sql})`,
      type: UTF8,
    }
  })
  define(table, 'levenshtein', (call) => {
    countArgs(call, 2)
    return {
      sql: `CAST(mm_levenshtein(${textArg(call, 0).sql}, ${textArg(call, 1).sql}) AS INTEGER)`,
      type: INT32,
    }
  })
}

/** NULLs are empty; a view makes the result one. */
function joining(table: Table<ScalarFunction>): void {
  const texts = (call: Call, from: number): Expr[] =>
    call.args.slice(from).map((arg, i) => {
      const type = plain(arg.type)
      return isString(type)
        ? cast(arg, type)
        : type.kind === 'Null'
          ? cast(arg, UTF8)
          : { ...textArg(call, i + from, true), type: UTF8 }
    })
  const typeOf = (parts: readonly Expr[]): ArrowType =>
    parts.find((part) => part.type.kind === 'Utf8View')?.type ??
    parts.find((part) => part.type.kind === 'LargeUtf8')?.type ??
    UTF8
  define(table, 'concat', (call) => {
    countArgs(call, 1, Number.POSITIVE_INFINITY)
    if (call.args.some((arg) => arg.type.kind === 'List')) {
      throw planError("Function 'concat' does not take lists; use array_concat", call.place)
    }
    const parts = texts(call, 0)
    return {
      sql: `concat(${parts.map((part) => part.sql).join(', ')})`,
      type: typeOf(parts),
      nullable: false,
    }
  })
  define(table, 'concat_ws', (call) => {
    countArgs(call, 2, Number.POSITIVE_INFINITY)
    const parts = [textArg(call, 0), ...texts(call, 1)]
    return { sql: `concat_ws(${parts.map((part) => part.sql).join(', ')})`, type: typeOf(parts) }
  })
  define(table, 'string_to_array string_to_list', (call) => {
    countArgs(call, 2, 3)
    const text = textArg(call, 0)
    const separator = argAt(call, 1)
    const split =
      separator.type.kind === 'Null'
        ? `mm_characters(${text.sql})`
        : `mm_string_to_array(${text.sql}, ${textArg(call, 1).sql})`
    const sql = call.args[2]
      ? `list_transform(${split}, lambda e: nullif(e, ${textArg(call, 2).sql}))`
      : split
    return { sql, type: listOf(textResult(text)) }
  })
}

function expressions(table: Table<ScalarFunction>): void {
  const flagsOf = (call: Call, index: number, allowed: string): string => {
    if (call.args[index] === undefined) return ''
    const value = literalOf(call, index)
    if (value === null) return ''
    if (typeof value !== 'string') throw planError(`${call.name} takes flags as a literal`, call.place)
    const known = [...value].filter((flag) => allowed.includes(flag))
    if (known.length !== value.length) {
      throw planError(`${call.name}() does not support the flag in "${value}"`, call.place)
    }
    return value
  }
  /** The pattern with its flags in front, as both engines read them. */
  const patternOf = (call: Call, flags: string): string => {
    const pattern = regexSql(textArg(call, 1))
    return flags === '' ? pattern : `('(?${flags})' || ${pattern})`
  }
  define(table, 'regexp_like', (call) => {
    countArgs(call, 2, 3)
    const flags = flagsOf(call, 2, 'imsU')
    return { sql: `regexp_matches(${textArg(call, 0).sql}, ${patternOf(call, flags)})`, type: BOOLEAN }
  })
  define(table, 'regexp_match', (call) => {
    countArgs(call, 2, 3)
    const flags = flagsOf(call, 2, 'imsU')
    const text = exactText(call, 0)
    const source = textArg(call, 1).constant?.value
    if (source === null) return { sql: 'CAST(NULL AS VARCHAR[])', type: listOf(text.type) }
    if (typeof source !== 'string') throw planError('regexp_match takes its pattern as a literal', call.place)
    const pattern = patternOf(call, flags)
    const groups = countGroups(source)
    const group = (n: number): string => `regexp_extract(${text.sql}, ${pattern}, ${n})`
    const all = groups === 0 ? [group(0)] : Array.from({ length: groups }, (_, i) => group(i + 1))
    return {
      sql: `CASE WHEN regexp_matches(${text.sql}, ${pattern}) THEN [${all.join(', ')}] END`,
      type: listOf(text.type),
    }
  })
  define(table, 'regexp_replace', (call) => {
    countArgs(call, 3, 4)
    const flags = flagsOf(call, 3, 'gimsU')
    const text = exactText(call, 0)
    const to = `mm_replacement(${textArg(call, 2).sql})`
    const all = flags.includes('g') ? ", 'g'" : ''
    const pattern = patternOf(call, flags.replace('g', ''))
    return { sql: `regexp_replace(${text.sql}, ${pattern}, ${to}${all})`, type: text.type }
  })
  define(table, 'regexp_count', (call) => {
    countArgs(call, 2, 4)
    const flags = flagsOf(call, 3, 'imsU')
    const text = textArg(call, 0, true)
    const from = call.args[2] ? `substr(${text.sql}, ${integerArg(call, 2).sql})` : text.sql
    return { sql: `mm_regexp_count(${from}, ${patternOf(call, flags)})`, type: INT64 }
  })
  define(table, 'regexp_instr', (call) => {
    countArgs(call, 2, 6)
    const start = call.args[2] ? integerArg(call, 2).sql : '1'
    const nth = call.args[3] ? integerArg(call, 3).sql : '1'
    const flags = flagsOf(call, 4, 'imsU')
    const text = textArg(call, 0, true).sql
    return { sql: `mm_regexp_instr(${text}, ${patternOf(call, flags)}, ${start}, ${nth})`, type: INT64 }
  })
}

/** Capturing groups of a pattern: brackets that are not escaped, not in a class and not `(?…)` other than named ones. */
function countGroups(pattern: string): number {
  const plain = pattern.replace(/\\./gs, '').replace(/\[\^?\]?[^\]]*\]/g, '')
  return plain.match(/\((?!\?)|\(\?P?<(?![=!])/g)?.length ?? 0
}

const bytesOf = (call: Call, index: number): string => {
  const arg = argAt(call, index)
  if (isJsonb(arg.type)) return cast(arg, BINARY).sql
  if (isBinary(plain(arg.type))) return arg.sql
  return cast(textArg(call, index), BINARY).sql
}

function encodings(table: Table<ScalarFunction>): void {
  const codec = (call: Call): string => {
    const name = literalOf(call, 1)
    if (name === 'hex' || name === 'base64' || name === 'base64pad') return name
    throw planError(
      `There is no built-in encoding named '${String(name)}', currently supported encodings are: base64, base64pad, hex`,
      call.place,
    )
  }
  define(table, 'encode', (call) => {
    countArgs(call, 2)
    const arg = argAt(call, 0)
    if (!isBinary(plain(arg.type)) && !isString(plain(arg.type)) && arg.type.kind !== 'Null') {
      throw planError(`Function 'encode' requires Binary, but received ${arg.type.kind}`, call.place)
    }
    const bytes = bytesOf(call, 0)
    const name = codec(call)
    const base64 = `to_base64(${bytes})`
    const sql = name === 'hex' ? `lower(hex(${bytes}))` : name === 'base64' ? `rtrim(${base64}, '=')` : base64
    return { sql, type: UTF8 }
  })
  define(table, 'decode', (call) => {
    countArgs(call, 2)
    const name = codec(call)
    const arg = argAt(call, 0)
    const text = isBinary(plain(arg.type)) ? cast(arg, UTF8).sql : textArg(call, 0, true).sql
    return { sql: name === 'hex' ? `unhex(${text})` : `mm_from_base64(${text})`, type: BINARY }
  })
  define(table, 'md5', (call) => {
    countArgs(call, 1)
    return { sql: `md5(${bytesOf(call, 0)})`, type: UTF8_VIEW }
  })
  for (const name of ['sha224', 'sha256', 'sha384', 'sha512']) {
    define(table, name, (call) => {
      countArgs(call, 1)
      return { sql: `mm_digest(${bytesOf(call, 0)}, '${name}')`, type: BINARY }
    })
  }
  define(table, 'digest', (call) => {
    countArgs(call, 2)
    const method = literalOf(call, 1)
    const known = ['md5', 'sha224', 'sha256', 'sha384', 'sha512', 'blake2s', 'blake2b', 'blake3']
    if (typeof method !== 'string' || !known.includes(method.toLowerCase())) {
      throw planError(
        `There is no built-in digest algorithm named '${String(method)}', currently supported algorithms are: ${known.join(', ')}`,
        call.place,
      )
    }
    return { sql: `mm_digest(${bytesOf(call, 0)}, '${method.toLowerCase()}')`, type: BINARY }
  })
  define(table, 'to_hex', (call) => {
    countArgs(call, 1)
    const arg = argAt(call, 0)
    if (!isInteger(plain(arg.type)) && arg.type.kind !== 'Null') {
      throw planError(`Function 'to_hex' requires an integer`, call.place)
    }
    return { sql: `mm_to_hex(${arg.sql})`, type: UTF8 }
  })
  define(table, 'chr', (call) => {
    countArgs(call, 1)
    if (!isInteger(plain(argAt(call, 0).type)) && argAt(call, 0).type.kind !== 'Null') {
      throw planError(`Function 'chr' requires an integer`, call.place)
    }
    return { sql: `chr(CAST(${integerArg(call, 0).sql} AS INTEGER))`, type: UTF8 }
  })
  define(table, 'uuid', (call) => {
    countArgs(call, 0)
    return { sql: 'CAST(uuid() AS VARCHAR)', type: UTF8 }
  })
}
