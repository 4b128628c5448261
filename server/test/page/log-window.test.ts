import { describe, expect, it } from 'vitest'
import { type LogRow, LogWindow } from '../../page/src/views/logs/log-window.ts'

const row = (second: number, block: string, insertSecond = second): LogRow => ({
  time: `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000000Z`,
  insert_time: `2026-01-01T00:01:${String(insertSecond).padStart(2, '0')}.000000000Z`,
  block_id: block,
  process_id: 'p',
  level: 4,
  target: 't',
  msg: `${block} ${second}`,
  properties: null,
})

describe('the rows a page holds', () => {
  it('are in order of time, whatever the order of their blocks', () => {
    const window = new LogWindow()
    window.add([row(9, 'a'), row(3, 'a')])
    window.add([row(12, 'b', 10), row(5, 'b', 10)])
    expect(window.rows.map(({ msg }) => msg)).toEqual(['a 3', 'b 5', 'a 9', 'b 12'])
  })

  it('asks for what came later, going back some seconds but leaving out the blocks it has', () => {
    const window = new LogWindow()
    expect(window.unseen).toEqual([])
    window.add([row(1, 'a'), row(2, 'b')])
    expect(window.unseen).toEqual([
      "insert_time >= timestamp '2026-01-01T00:01:02.000000000Z' - interval '5 seconds'",
      "block_id NOT IN ('a', 'b')",
    ])
  })

  it('does not ask for what lies before a first answer that is cut, unless it comes later', () => {
    const window = new LogWindow()
    window.add([row(9, 'b'), row(8, 'b'), row(7, 'a')], true)
    const condition =
      "(insert_time > timestamp '2026-01-01T00:01:09.000000000Z' OR time >= timestamp '2026-01-01T00:00:07.000000000Z')"
    expect(window.unseen.at(-1)).toBe(condition)
    window.add([row(20, 'c')])
    expect(window.unseen.at(-1)).toBe(condition)
  })

  it('forgets blocks that are too old to be asked for again', () => {
    const window = new LogWindow()
    window.add([row(1, 'a')])
    window.add([row(30, 'b')])
    expect(window.unseen.at(-1)).toBe("block_id NOT IN ('b')")
  })

  it('takes older rows in front, none twice', () => {
    const window = new LogWindow()
    window.add([row(9, 'b')])
    expect(window.addOlder([row(9, 'b'), row(4, 'a'), row(3, 'a')])).toBe(2)
    expect(window.rows.map(({ msg }) => msg)).toEqual(['a 3', 'a 4', 'b 9'])
  })

  it('never holds more than its bound, and keeps the newest', () => {
    const window = new LogWindow()
    const many = Array.from({ length: LogWindow.MAX_ROWS }, (_, i) => ({ ...row(1, 'a'), msg: String(i) }))
    window.add(many)
    window.add([row(2, 'b')])
    expect(window.rows).toHaveLength(LogWindow.MAX_ROWS)
    expect(window.rows.at(-1)!.msg).toBe('b 2')
  })
})
