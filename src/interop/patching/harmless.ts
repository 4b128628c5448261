import { dispatch } from '../../tracing/dispatch.ts'

/**
 * For what runs within the application's own calls and listeners: what goes wrong in it is counted and costs the application
 * nothing. A listener of a diagnostics channel that throws would end the process.
 */
export function harmless<Args extends unknown[]>(fn: (...args: Args) => void): (...args: Args) => void {
  return (...args) => {
    try {
      fn(...args)
    } catch {
      dispatch.cpu.countInvalid()
    }
  }
}
