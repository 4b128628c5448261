import { type Answer, type Call, countArgs, type ScalarFunction, wrongType } from '../plan/expression/call.ts'
import { cast } from '../plan/expression/cast.ts'
import type { Expr } from '../plan/expression/expr.ts'
import {
  type ArrowType,
  FLOAT64,
  INT64,
  isBinary,
  isFloat,
  isInteger,
  isJsonb,
  isNumeric,
  isString,
  JSONB,
  plain,
  typeName,
  UTF8,
  UTF8_VIEW,
} from '../types/arrow-type.ts'

export type Table<T> = Map<string, T>

/** Registers a function under its own name and others. */
export function define(table: Table<ScalarFunction>, names: string, bind: (call: Call) => Answer): void {
  const [name = '', ...others] = names.split(' ')
  const made: ScalarFunction = { name, bind }
  for (const each of [name, ...others]) table.set(each, made)
}

/** The argument as text; numbers, booleans and times become text where `loose`. */
export function textArg(call: Call, index: number, loose = false): Expr {
  const arg = argAt(call, index)
  const type = plain(arg.type)
  if (isString(type)) return arg.type.kind === 'Dictionary' ? cast(arg, type) : arg
  if (type.kind === 'Null') return cast(arg, UTF8_VIEW)
  if (isBinary(type) && !isJsonb(type)) return cast(arg, UTF8)
  if (loose && !isBinary(type)) return cast(arg, UTF8_VIEW)
  throw wrongType(call, 'String', typeName(arg.type))
}

/** The argument as a 64-bit integer; other numbers only where they are integers. */
export function integerArg(call: Call, index: number): Expr {
  const arg = argAt(call, index)
  const type = plain(arg.type)
  if (isInteger(type) || type.kind === 'Null') return cast(arg, INT64)
  if (isString(type) || isFloat(type)) return cast(arg, INT64)
  throw wrongType(call, 'Integer', typeName(arg.type))
}

/** The argument as a 64-bit float. */
export function floatArg(call: Call, index: number): Expr {
  const arg = argAt(call, index)
  const type = plain(arg.type)
  if (isNumeric(type) || type.kind === 'Null') return cast(arg, FLOAT64)
  throw wrongType(call, 'Float', typeName(arg.type))
}

/** The argument as JSONB: text here, bytes for clients. */
export function jsonbArg(call: Call, index: number): Expr {
  const arg = argAt(call, index)
  const type = plain(arg.type)
  if (isJsonb(type)) return arg
  if (type.kind === 'Null' || isBinary(type)) return cast(arg, JSONB)
  throw wrongType(call, 'Binary', typeName(arg.type))
}

export function argAt(call: Call, index: number): Expr {
  const arg = call.args[index]
  if (arg === undefined) {
    countArgs(call, index + 1)
    throw wrongType(call, 'more arguments', `${call.args.length}`)
  }
  return arg
}

/** Whether the result may be NULL: when an argument may. */
export function anyNullable(call: Call): boolean {
  return call.args.some((arg) => arg.nullable)
}

/** A dictionary of texts becomes plain; a view stays one. */
export function textResult(arg: Expr): ArrowType {
  return isString(arg.type) ? arg.type : UTF8
}

/** Keeps a dictionary around the type of the result, as functions over one text do. */
export function likeArgument(arg: Expr, type: ArrowType): ArrowType {
  return arg.type.kind === 'Dictionary' ? { kind: 'Dictionary', index: arg.type.index, value: type } : type
}
