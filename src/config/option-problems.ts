import type * as z from 'zod/mini'

/**
 * What is wrong with an options object, a line a problem, by the option's name and without its value: `name: expected …`,
 * `section.name: no such option`.
 */
export function optionProblems({ issues }: z.core.$ZodError): string[] {
  return issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => `${[...issue.path, key].join('.')}: no such option`)
      : [`${issue.path.join('.') || 'options'}: ${issue.message}`],
  )
}
