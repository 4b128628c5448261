/** By number, as servers have them. */
export const LEVELS = ['', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const

export function levelName(level: number): string {
  return LEVELS[level] ?? String(level)
}
