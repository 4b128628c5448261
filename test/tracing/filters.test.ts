import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Level, levelName, parseLevel } from '../../src/model/level.ts'
import { Filters } from '../../src/tracing/filters.ts'

const { Off, Fatal, Warn, Info, Debug, Trace } = Level

function filters(
  targetMaxLevels: Record<string, Level>,
  maxLevel: Level = Info,
  interopMaxLevel: Level = Trace,
) {
  const made = new Filters()
  made.set({ maxLevel, targetMaxLevels, interopMaxLevel }, Trace, Off)
  return made
}

describe('the level of a target', () => {
  test.each<[string, Level]>([
    ['db', Debug],
    ['db.pool', Trace],
    ['db.pool.wait', Trace],
    ['db.query', Debug],
    ['db::query', Debug],
    ['db/query', Debug],
    ['dbx', Info],
    ['db-pool', Info],
    ['d', Info],
    ['', Info],
    ['DB', Info],
    ['http.server', Off],
    ['http', Warn],
  ])('of %s is that of the longest target it is within', (target, level) => {
    const made = filters({ db: Debug, 'db.pool': Trace, http: Warn, 'http.server': Off })
    expect(made.maxLevelOf(target)).toBe(level)
  })

  test('does not depend on the order the targets are given in', () => {
    const given = Object.entries({ a: Debug, 'a.b': Warn, 'a.b.c': Trace, b: Fatal })
    fc.assert(
      fc.property(fc.shuffledSubarray(given, { minLength: 4 }), (shuffled) => {
        const made = filters(Object.fromEntries(shuffled))
        expect(['a', 'a.b', 'a.b.c.d', 'b.a', 'c'].map((t) => made.maxLevelOf(t))).toEqual([
          Debug,
          Warn,
          Trace,
          Fatal,
          Info,
        ])
      }),
    )
  })

  test('is not above what the most talkative sink takes', () => {
    const made = filters({ db: Trace })
    made.set({ maxLevel: Trace, targetMaxLevels: {}, interopMaxLevel: Trace }, Warn, Info)
    expect(made.maxLevelOf('db')).toBe(Info)
    made.set({ maxLevel: Trace, targetMaxLevels: {}, interopMaxLevel: Trace }, Off, Off)
    expect(made.maxLevelOf('db')).toBe(Off)
  })

  test('of other libraries is limited once more', () => {
    const made = filters({ db: Trace }, Info, Debug)
    expect([made.interopMaxLevelOf('db'), made.interopMaxLevelOf('x')]).toEqual([Debug, Info])
  })

  test('changes the epoch whenever it may', () => {
    const made = filters({})
    const { epoch } = made
    made.set({ maxLevel: Info, targetMaxLevels: {}, interopMaxLevel: Trace }, Trace, Off)
    expect(made.epoch).not.toBe(epoch)
  })

  test('before the first start is debug', () => {
    expect(new Filters().maxLevelOf('any')).toBe(Debug)
  })
})

describe('level names', () => {
  test('are read in any case, warning as warn, and given back', () => {
    for (const [name, level] of Object.entries(Level)) {
      expect(parseLevel(name.toUpperCase())).toBe(level)
      expect(parseLevel(` ${name.toLowerCase()} `)).toBe(level)
      expect(levelName(level)).toBe(name.toLowerCase())
    }
    expect(parseLevel('WARNING')).toBe(Warn)
    expect([parseLevel('verbose'), parseLevel('4'), parseLevel('')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect([levelName(7), levelName(-1)]).toEqual(['7', '-1'])
    expect(Fatal).toBe(1)
  })
})
