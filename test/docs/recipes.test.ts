import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(root, 'docs/frameworks')
const pages = readdirSync(folder)
const recipes = pages.filter((page) => page !== 'README.md')
const textOf = (page: string): string => readFileSync(join(folder, page), 'utf8')
const FILE = /^<!-- file: (?<path>\S+) -->\n```\w+\n(?<text>[\s\S]*?)^```$/gm
/** Commands, questions and what they print are no files. */
const CODE = /^```(?!sh\b|sql\b|text\b)\w+$/gm

test.each(recipes)('%s: its code is that of the examples', (page) => {
  const files = [...textOf(page).matchAll(FILE)]
  expect(files.length).toBe([...textOf(page).matchAll(CODE)].length)
  for (const { groups } of files)
    expect(groups!.text, groups!.path!).toBe(readFileSync(join(root, groups!.path!), 'utf8'))
})

test('every recipe is in the index, which names only those there are', () => {
  const named = [...textOf('README.md').matchAll(/\]\((\w[\w-]*\.md)\)/g)].map(([, page]) => page!)
  expect([...new Set(named)].toSorted()).toEqual(recipes.toSorted())
})

test.each(pages)('%s: what it refers to exists', (page) => {
  const links = [...textOf(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path!)
  expect(links.filter((path) => !existsSync(join(dirname(join(folder, page)), path)))).toEqual([])
})
