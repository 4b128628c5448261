/** The process that records: one per operating system process and telemetry start. */
export interface ProcessInfo {
  /** Random UUID. */
  readonly processId: string
  /** Name of the program, e.g. the path of its main script. */
  readonly exe: string
  readonly username: string
  readonly realname: string
  /** Host name. */
  readonly computer: string
  /** Operating system and version. */
  readonly distro: string
  readonly cpuBrand: string
  /** Ticks per second; this SDK's ticks are nanoseconds: 1e9. */
  readonly tscFrequency: bigint
  /** Wall clock at {@link startTicks}: microseconds since the Unix epoch. */
  readonly startTimeMicros: bigint
  /** Value of the monotonic counter at {@link startTimeMicros}; event times are on the same counter. */
  readonly startTicks: bigint
  /** UUID of the process that started this one. */
  readonly parentProcessId: string | undefined
  readonly properties: Readonly<Record<string, string>>
}
