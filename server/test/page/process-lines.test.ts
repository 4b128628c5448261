import { expect, test } from 'vitest'
import type { Process } from '../../page/src/data/process.ts'
import { processLines } from '../../page/src/views/processes/process-groups.ts'

const process = (id: string, exe: string, parentId?: string): Process => ({
  id,
  exe,
  name: exe,
  computer: 'here',
  username: 'me',
  startNs: 0n,
  lastNs: 0n,
  parentId,
  properties: {},
})

const outline = (processes: readonly Process[]): string[] =>
  processLines(processes).map(
    ({ process: { id }, depth, earlier }) =>
      `${'.'.repeat(depth)}${id}${earlier.map((run) => ` <${run.id}`).join('')}`,
  )

test('children stand below their parents', () => {
  const processes = [process('worker', 'w', 'main'), process('main', 'm'), process('other', 'o', 'unknown')]
  expect(outline(processes)).toEqual(['main', '.worker', 'other'])
})

test('the runs of one program are one line, led by the latest', () => {
  expect(outline([process('3', 'm'), process('2', 'm'), process('1', 'm'), process('x', 'other')])).toEqual([
    '3 <2 <1',
    'x',
  ])
})

test('a run with children of its own keeps its line', () => {
  expect(outline([process('2', 'm'), process('child', 'c', '1'), process('1', 'm')])).toEqual([
    '2',
    '1',
    '.child',
  ])
})

test('parents that go round in a circle lose nobody', () => {
  expect(outline([process('a', 'a', 'b'), process('b', 'b', 'a'), process('c', 'c', 'c')])).toEqual([
    'c',
    'a',
    'b',
  ])
})
