/** What Node's permission model may keep from a process. */
export type Permission = 'worker' | 'net'

interface Permissions {
  has(scope: string): boolean
}

/** Whether Node's permission model, where it is on, lets the process start threads, or use the network. */
export function isPermitted(permission: Permission): boolean {
  const { permission: permissions } = process as { readonly permission?: Permissions }
  if (permissions === undefined || permissions.has(permission)) return true
  // Before Node 25 the model leaves the network alone, and says no to what it does not know.
  return permission === 'net' && !process.allowedNodeEnvironmentFlags.has('--allow-net')
}
