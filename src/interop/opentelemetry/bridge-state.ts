/** Shared by everything a bridge hands out, which its users keep beyond the bridge's end. */
export interface BridgeState {
  /** False once the bridge is unregistered: nothing is recorded through it any more. */
  active: boolean
}
