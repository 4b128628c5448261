import { fileURLToPath } from 'node:url'
import type { ViteUserConfig } from 'vitest/config'

/** The server's sources reach the wire format through the package's entry; tests run on sources, not on a build. */
export const resolve: NonNullable<ViteUserConfig['resolve']> = {
  alias: { 'micromegas/wire': fileURLToPath(new URL('./src/wire.ts', import.meta.url)) },
}
