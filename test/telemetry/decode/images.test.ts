import { expect, test } from 'vitest'
import { readImages } from '../../../src/telemetry/decode/images.ts'
import { fixedType } from '../../../src/transit/reflection.ts'
import { expectFormatError } from '../../transit/format-errors.ts'
import { hex, type Section, section } from '../../transit/section.ts'
import { objectsOf, TICKS } from '../sample-blocks.ts'
import { IMAGE_TYPES } from '../worked-examples.ts'

function read(objects: Section) {
  return [...readImages(objectsOf(IMAGE_TYPES, section(), objects), TICKS)]
}

const image = (length: number, data: string) =>
  section().u64(7).text('shot').text('png').u32(length).raw(hex(data))

test('images have a name, a format and data, which may be empty', () => {
  expect(read(section().dynamic(0, image(2, 'abcd')).dynamic(0, image(0, '')))).toEqual([
    { timeNs: 7n, name: 'shot', format: 'png', data: hex('abcd') },
    { timeNs: 7n, name: 'shot', format: 'png', data: hex('') },
  ])
})

test('bytes after the data are ignored', () => {
  expect(read(section().dynamic(0, image(1, 'abcd')))[0]!.data).toEqual(hex('ab'))
})

test('data that is longer than the record is refused', () => {
  expectFormatError(
    () => read(section().dynamic(0, image(3, 'abcd')).dynamic(0, image(0, ''))),
    /data: it needs 3 bytes, 2 are left/,
  )
  expectFormatError(() => read(section().dynamic(0, image(0xffff_ffff, 'abcd'))), /4294967295 bytes/)
})

test('events of other types are passed over and reported', () => {
  const types = { dependenciesMetadata: [], objectsMetadata: [fixedType('Video', { v: 'u8' })] }
  const unknown: string[] = []
  const images = readImages(objectsOf(types, section(), section().u8(0, 1)), TICKS, {
    onUnknown: (name) => unknown.push(name),
  })
  expect([...images]).toEqual([])
  expect(unknown).toEqual(['Video'])
})
