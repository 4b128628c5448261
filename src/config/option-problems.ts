import type * as z from 'zod/mini'

/** What a schema without a text of its own says. */
const GENERAL_TEXT = 'Invalid input'

/**
 * What is wrong with options, a line a problem, by the place within them and without a value: `name: expected …`,
 * `section.list[2].name: no such option`. A schema with a text of its own for members it does not know keeps their names to
 * itself: in a text that holds keys, a name may be one.
 *
 * @param of - What the options are called as a whole, such as a variable. @defaultValue nothing
 * @param whole - What is wrong where nothing within is, when there is no such name. @defaultValue `options`
 */
export function optionProblems(
  { issues }: z.core.$ZodError,
  of: string = '',
  whole: string = 'options',
): string[] {
  const placeOf = (path: readonly PropertyKey[]): string => pathText(path, of) || whole
  return issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' && issue.message === GENERAL_TEXT
      ? issue.keys.map((key) => `${placeOf([...issue.path, key])}: no such option`)
      : [`${placeOf(issue.path)}: ${textOf(issue)}`],
  )
}

/**
 * Whether there are no options to judge. To make a schema and judge by it for the first time takes some milliseconds of a
 * process's start, which one that is configured by variables alone can do without.
 */
export function isNothingGiven(options: object): boolean {
  return (
    options !== null &&
    typeof options === 'object' &&
    Object.getPrototypeOf(options) === Object.prototype &&
    Object.keys(options).length === 0
  )
}

function pathText(path: readonly PropertyKey[], of: string): string {
  const place = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
  return of === '' ? place.replace(/^\./, '') : of + place
}

function textOf(issue: z.core.$ZodIssue): string {
  if (issue.message !== GENERAL_TEXT) return issue.message
  return issue.code === 'invalid_type'
    ? `expected ${articleOf(issue.expected)} ${issue.expected}`
    : 'not usable'
}

function articleOf(noun: string): string {
  return /^[aeiou]/.test(noun) ? 'an' : 'a'
}
