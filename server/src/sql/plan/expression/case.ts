import { planError } from '../../sql-error.ts'
import { BOOLEAN, isNumeric, plain, typeName } from '../../types/arrow-type.ts'
import { commonOf, unionType } from '../../types/coercion.ts'
import type { Ast } from '../ast.ts'
import type { Env } from '../context.ts'
import { cast } from './cast.ts'
import { type Expr, marksOf } from './expr.ts'
import { comparable } from './operators.ts'
import { truth } from './truth.ts'

/** `CASE … END`, with the branches in a type that all of them have. */
export function bindCase(node: Ast, env: Env): Expr {
  const operand = node.operand ? env.ctx.bindExpr(node.operand, env) : undefined
  const conditions = (node.conditions as Ast[]).map((branch) => ({
    when: env.ctx.bindExpr(branch.condition, env),
    outcome: env.ctx.bindExpr(branch.result, env),
  }))
  const otherwise = node.else_result ? env.ctx.bindExpr(node.else_result, env) : undefined
  const results = [...conditions.map(({ outcome }) => outcome), ...(otherwise ? [otherwise] : [])]
  const type = commonOf(
    results.map((branch) => branch.type),
    unionType,
  )
  if (type === undefined) {
    throw planError(
      `Failed to coerce then (${results.map((r) => typeName(r.type)).join(', ')}) and else to common types in CASE WHEN expression`,
      results[0]?.place,
    )
  }
  const arms = conditions.map(({ when, outcome }) => {
    const test = operand === undefined ? branchTest(when) : equal(operand, when)
    return `WHEN ${test} THEN ${cast(outcome, type).sql}`
  })
  const last = otherwise === undefined ? '' : ` ELSE ${cast(otherwise, type).sql}`
  const shownArms = conditions.map(({ when, outcome }) => `WHEN ${when.name} THEN ${outcome.name} `).join('')
  return {
    sql: `CASE ${arms.join(' ')}${last} END`,
    type,
    nullable: otherwise === undefined || results.some((branch) => branch.nullable),
    name: `CASE ${operand ? `${operand.name} ` : ''}${shownArms}${otherwise ? `ELSE ${otherwise.name} ` : ''}END`,
    place: results[0]?.place,
    ...marksOf([operand, ...results, ...conditions.map(({ when }) => when)]),
  }
}

/** Numbers are conditions of CASE, and only there. */
function branchTest(when: Expr): string {
  return (isNumeric(plain(when.type)) ? cast(when, BOOLEAN) : truth(when, 'a condition')).sql
}

function equal(operand: Expr, when: Expr): string {
  const [a, b] = comparable('=', operand, when)
  return `(${a.sql} = ${b.sql})`
}
