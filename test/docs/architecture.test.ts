import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const text = readFileSync(`${root}docs/architecture.md`, 'utf8')

test.each(['src', 'server/src'])('the rooms of %s are those that the docs list', (folder) => {
  const rooms = readdirSync(`${root}${folder}`, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${folder}/${name}/`)
  const listed = [...text.matchAll(/^\| `([^`]+\/)` \|/gm)]
    .map(([, name]) => name!)
    .filter((name) => name.startsWith(`${folder}/`))
  expect(listed.sort()).toEqual(rooms.sort())
})

/** Rules such as `src/http may import src/http, src/model, src/config`. */
const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
  readonly forbidden: readonly { readonly name: string; readonly comment: string }[]
}
const arrows = forbidden.flatMap(({ name, comment }): [room: string, rooms: string[]][] => {
  const [, room, list] = /^(src\/\w+) may import (.*)$/.exec(comment) ?? []
  if (room === undefined || !name.endsWith('-imports')) return []
  const rooms = list!.split(', ').filter((other) => other !== room && !other.endsWith('(types)'))
  return [[room, rooms.map((other) => other.replace('src/', '')).sort()]]
})

test.each(arrows)('what %s may import is what the docs say', (room, rooms) => {
  const row = text.split('\n').find((line) => line.startsWith(`| \`${room}/\` |`))
  const cell = row!.split('|').at(-2)!.trim()
  if (cell === 'all above') return // every room that is listed before it
  expect(cell === '–' ? [] : cell.split(', ').sort()).toEqual(rooms)
})
