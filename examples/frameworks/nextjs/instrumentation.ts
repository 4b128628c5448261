import type { Instrumentation } from 'next'

/** Next.js calls it once, before the first request. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return // the edge runtime is not Node
  const { initTelemetry } = await import('micromegas')
  initTelemetry({ processExe: 'shop-next' }) // else the main script, that of Next.js
}

export const onRequestError: Instrumentation.onRequestError = async (error, request, context) => {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const { logger } = await import('micromegas')
  logger('next').error(`${request.method} ${context.routePath} failed`, error as Error, {
    'http.route': context.routePath,
    'url.path': request.path.split('?', 1)[0],
    'next.route_type': context.routeType,
  })
}
