export interface Process {
  readonly id: string
  readonly exe: string
  /** The last part of the path of the program. */
  readonly name: string
  readonly computer: string
  readonly username: string
  readonly startNs: bigint
  readonly lastNs: bigint
  readonly parentId: string | undefined
  readonly properties: Readonly<Record<string, string>>
}

/** What tells one process from others of its name. */
export function processLabel(process: Process): string {
  const { pid } = process.properties
  return pid === undefined ? process.name : `${process.name} ${pid}`
}
