import { builtin } from '../model/runtime/builtins.ts'

const { cpus, freemem, totalmem } = builtin('node:os')

const fs = builtin('node:fs')

/** Processor time of the whole machine, in a unit of the system's own. */
export interface MachineCpuTime {
  readonly busy: number
  readonly total: number
}

/** Memory of the whole machine, in bytes. */
export interface MachineMemory {
  /** All but what could be handed out without swapping. */
  readonly used: number
  readonly free: number
}

/** Enough for the head of `/proc/stat`, of `/proc/meminfo`, and for all of `/proc/self/stat`. */
const READ_BYTES = 1024

/**
 * Reads what the operating system knows of the machine and of this process: from Linux's proc file system where there
 * is one, whose files are kept open because reading them again costs a tenth of opening them, from `node:os` elsewhere.
 * Nothing throws.
 */
export class SystemProbe {
  readonly #stat: ProcFile
  readonly #memory: ProcFile
  readonly #self: ProcFile

  constructor(procRoot: string) {
    this.#stat = new ProcFile(`${procRoot}/stat`)
    this.#memory = new ProcFile(`${procRoot}/meminfo`)
    this.#self = new ProcFile(`${procRoot}/self/stat`)
  }

  readMachineCpuTime(): MachineCpuTime {
    return parseCpuTime(this.#stat.read()) ?? sumCpuTimes()
  }

  readMachineMemory(): MachineMemory {
    return parseMemory(this.#memory.read()) ?? { used: totalmem() - freemem(), free: freemem() }
  }

  /** Memory this process occupies, in bytes; undefined on a Linux without its proc file system. */
  readResidentBytes(): number | undefined {
    try {
      return process.memoryUsage.rss()
    } catch {
      return undefined
    }
  }

  /** Size of this process's address space in bytes; undefined where there is no proc file system. */
  readVirtualBytes(): number | undefined {
    return parseVirtualBytes(this.#self.read())
  }

  close(): void {
    this.#stat.close()
    this.#memory.close()
    this.#self.close()
  }
}

/** The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal; guest time is in user's. */
function parseCpuTime(text: string): MachineCpuTime | undefined {
  const match = /^cpu +(\d[\d ]*)/.exec(text)
  if (match === null) return undefined
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = match[1]!
    .split(' ')
    .map(Number)
  const busy = user + nice + system + irq + softirq + steal
  return { busy, total: busy + idle + iowait }
}

function sumCpuTimes(): MachineCpuTime {
  let busy = 0
  let idle = 0
  for (const { times } of cpus()) {
    busy += times.user + times.nice + times.sys + times.irq
    idle += times.idle
  }
  return { busy, total: busy + idle }
}

/** `MemAvailable` has been there since Linux 3.14. */
function parseMemory(text: string): MachineMemory | undefined {
  const total = /^MemTotal: +(\d+) kB$/m.exec(text)
  const free = /^MemFree: +(\d+) kB$/m.exec(text)
  const available = /^MemAvailable: +(\d+) kB$/m.exec(text)
  if (total === null || free === null || available === null) return undefined
  return { used: (Number(total[1]) - Number(available[1])) * 1024, free: Number(free[1]) * 1024 }
}

/** Field 23 of `/proc/self/stat`, counted from the state behind the program's name, which may hold anything. */
function parseVirtualBytes(text: string): number | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const bytes = Number(fields[20])
  return bytes > 0 ? bytes : undefined
}

/** A file whose content is made anew by every read from its start. */
class ProcFile {
  #descriptor: number | undefined
  readonly #buffer: Buffer

  constructor(path: string) {
    this.#buffer = Buffer.allocUnsafeSlow(READ_BYTES)
    try {
      this.#descriptor = fs.openSync(path, 'r')
    } catch {
      // No proc file system, or a hidden one: the callers have another source, or do without.
    }
  }

  /** The file's head; empty when it cannot be read. */
  read(): string {
    if (this.#descriptor === undefined) return ''
    try {
      const length = fs.readSync(this.#descriptor, this.#buffer, 0, READ_BYTES, 0)
      return this.#buffer.toString('latin1', 0, length)
    } catch {
      return ''
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) fs.closeSync(this.#descriptor)
    this.#descriptor = undefined
  }
}
