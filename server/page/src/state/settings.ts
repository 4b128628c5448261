import { effect, signal } from '@preact/signals'
import type { Zone } from '../data/time.ts'

export type Theme = 'system' | 'light' | 'dark'

function stored<T extends string>(name: string, allowed: readonly T[]) {
  const item = `micromegas.${name}`
  const found = localStorage.getItem(item) as T | null
  const value = signal<T>(found !== null && allowed.includes(found) ? found : allowed[0]!)
  effect(() => localStorage.setItem(item, value.value))
  return value
}

export const theme = stored<Theme>('theme', ['system', 'light', 'dark'])
export const zone = stored<Zone>('zone', ['local', 'UTC'])

export function followTheme(): void {
  effect(() => {
    const { dataset } = document.documentElement
    if (theme.value === 'system') delete dataset.theme
    else dataset.theme = theme.value
  })
}
