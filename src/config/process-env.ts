/** Environment variables by name. */
export type Env = Readonly<Record<string, string | undefined>>

/** The environment of this process. It is read here, and handed on to whoever needs it. */
export function processEnv(): Env {
  return process.env
}

/** Sets a variable that the processes which this one starts inherit. */
export function setForChildren(name: string, value: string): void {
  process.env[name] = value
}
