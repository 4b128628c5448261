import type { Env } from '../../../config/process-env.ts'
/**
 * Opens an address in the person's browser, as the platform does it.
 *
 * @returns Whether a browser was started; the address must be shown in any case.
 */
export async function openBrowser(url: URL): Promise<boolean> {
  if (!hasDisplay(process.env, process.platform)) return false
  try {
    const { default: open } = await import('open')
    const child = await open(url.href)
    child.on('error', () => {}) // there is no browser: the address is shown as well
    return true
  } catch {
    return false // the same
  }
}

/** Over SSH, or on Linux without a display, a browser would open on the wrong machine or not at all. */
export function hasDisplay(env: Env, platform: NodeJS.Platform): boolean {
  if (platform !== 'linux' && platform !== 'freebsd') return !env.SSH_CONNECTION
  return Boolean(env.DISPLAY || env.WAYLAND_DISPLAY || env.WSL_DISTRO_NAME)
}
