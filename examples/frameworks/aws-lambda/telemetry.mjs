import { continueTrace, initTelemetry, logger } from 'micromegas'

/** Longest that an invocation waits for its telemetry to be delivered. */
const FLUSH_MS = 1_000
/** How long before the function's timeout the invocation is reported. */
const RESERVE_MS = 500

const telemetry = initTelemetry({
  processExe: process.env.AWS_LAMBDA_FUNCTION_NAME,
  processVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
  cpuTracing: true,
  systemMetrics: false, // nothing runs between invocations
  localSinkEnabled: false, // or CloudWatch gets every log, too
})
const log = logger('lambda')
let isCold = true

/** Records each invocation as a span, and delivers before Lambda stops the sandbox. */
export function recorded(handler) {
  return async (event, context) => {
    const properties = { 'faas.invocation_id': context.awsRequestId, 'faas.coldstart': isCold }
    const options = { target: 'lambda', properties }
    isCold = false
    const invoke = async () => {
      const timeout = setTimeout(() => {
        log.error('about to time out', properties)
        void deliver(context)
      }, context.getRemainingTimeInMillis() - RESERVE_MS)
      try {
        return await handler(event, context)
      } catch (error) {
        log.error('invocation failed', error, properties)
        throw error
      } finally {
        clearTimeout(timeout)
      }
    }
    try {
      return await continueTrace(event?.headers, context.functionName, options, invoke)
    } finally {
      await deliver(context)
    }
  }
}

/** Never rejects: what is not delivered in time stays queued for the next invocation. */
async function deliver(context) {
  const waitMs = Math.max(0, Math.min(FLUSH_MS, context.getRemainingTimeInMillis() - 50))
  await telemetry.flush({ signal: AbortSignal.timeout(waitMs) })
}
