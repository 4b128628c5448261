import { expect, test } from 'vitest'
import { resolveHttpEventSinkOptions } from '../../src/sink/http-event-sink-options.ts'

const resolve = (options: unknown) => resolveHttpEventSinkOptions(options as never)

test('nothing given and everything given as undefined are the same', () => {
  const undefinedOptions = Object.fromEntries(Object.keys(resolve({})).map((name) => [name, undefined]))

  expect(resolve(undefinedOptions)).toEqual(resolve({}))
})

test('what is given takes its place among the defaults, within sections too', () => {
  const defaults = resolve({})

  expect(resolve({ maxInFlightRequests: 5, blocksRetry: { maxSoloFailures: 2 } })).toEqual({
    ...defaults,
    maxInFlightRequests: 5,
    blocksRetry: { ...defaults.blocksRetry, maxSoloFailures: 2 },
  })
  expect(resolve({ maxQueueBytes: 2 ** 40 })).toMatchObject({
    maxQueueBytes: 2 ** 40,
    hardQueueBytes: 2 ** 40,
  })
})

test.each([
  [null, 'expected an object'],
  [5, 'expected an object'],
  [[], 'expected an object'],
  [{ maxQueueByte: undefined }, 'maxQueueByte: no such option'],
  [{ maxInFlightRequests: 0 }, 'maxInFlightRequests: expected a whole number from 1 to 100'],
])('%j cannot be used', (options, problem) => {
  expect(() => resolve(options)).toThrow(problem)
})

test('the defaults cannot be changed by whoever got them', () => {
  expect(() => Object.assign(resolve({}).blocksRetry, { maxSoloFailures: 1 })).toThrow(TypeError)
})
