import { dispatch } from '../../tracing/dispatch.ts'

/** Shared by everything a bridge hands out, which its users keep beyond the bridge's end. */
export interface BridgeState {
  /** False once the bridge is unregistered: nothing is recorded through it any more. */
  active: boolean
}

/** What the providers of OpenTelemetry's SDK have besides the API's methods, and libraries for serverless hosts call. */
export class BridgeProvider {
  /** Sends what has been recorded and waits for it. */
  async forceFlush(): Promise<void> {
    await dispatch.flush()
  }

  /** The same: telemetry ends with the process, and the bridge by the function that unregisters it. */
  async shutdown(): Promise<void> {
    await dispatch.flush()
  }
}
