import { TEXT_MACROS } from './text-macros.ts'
import { TIME_MACROS } from './time-macros.ts'
import { VALUE_MACROS } from './value-macros.ts'

/** Statements that define all macros: one that uses another comes after it. */
export function macroStatements(): string[] {
  const waiting = new Map(
    [...TIME_MACROS, ...VALUE_MACROS, ...TEXT_MACROS].map((text) => [macroName(text), text]),
  )
  const ordered: string[] = []
  const define = (name: string): void => {
    const text = waiting.get(name)
    if (text === undefined) return
    waiting.delete(name)
    for (const [used] of text.slice(name.length).matchAll(/\bmm_\w+/g)) define(used)
    ordered.push(`CREATE OR REPLACE MACRO ${text}`)
  }
  for (const name of [...waiting.keys()]) define(name)
  return ordered
}

function macroName(text: string): string {
  return text.slice(0, text.indexOf('('))
}
