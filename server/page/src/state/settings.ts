import { computed, effect, signal } from '@preact/signals'
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

const systemIsDark = matchMedia('(prefers-color-scheme: dark)')
const systemScheme = signal(systemIsDark.matches ? 'dark' : 'light')
systemIsDark.addEventListener('change', ({ matches }) => {
  systemScheme.value = matches ? 'dark' : 'light'
})

/** The colours that are shown. */
export const scheme = computed(() => (theme.value === 'system' ? systemScheme.value : theme.value))

export function followTheme(): void {
  effect(() => {
    document.documentElement.dataset.theme = scheme.value
  })
}
