import { expect } from 'vitest'
import { TelemetryError } from '../../src/model/errors.ts'

/** Expects `run` to throw a format error whose message matches. */
export function expectFormatError(run: () => unknown, message: RegExp = /^Cannot read /): void {
  let thrown: unknown
  try {
    run()
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(TelemetryError)
  expect((thrown as TelemetryError).code).toBe('ERR_TELEMETRY_FORMAT')
  expect((thrown as TelemetryError).message).toMatch(message)
}

/** Runs `run`, letting format errors pass: the only ones that hostile input may cause. */
export function ignoreFormatErrors(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof TelemetryError && error.code === 'ERR_TELEMETRY_FORMAT')) throw error
  }
}
