import type { ProcessInfo } from '../model/process-info.ts'
import { builtin } from '../model/runtime/builtins.ts'

const os = builtin('node:os')
const path = builtin('node:path')

const fs = builtin('node:fs')

/** Ticks of this SDK are nanoseconds. */
const TICKS_PER_SECOND = 1_000_000_000n
/** Larger system files are not read: nothing here is worth delaying a start for. */
const MAX_FILE_BYTES = 4 * 1024 * 1024

export interface ProcessInfoOptions {
  /** Random UUID. */
  readonly processId: string
  /** Monotonic counter at {@link startTimeMicros}, in nanoseconds. */
  readonly startTicks: bigint
  /** Wall clock at {@link startTicks}, in microseconds since the Unix epoch. */
  readonly startTimeMicros: bigint
  /** UUID of the process that started this one. */
  readonly parentProcessId: string | undefined
  /** Name of the program. @defaultValue the path of the main script, or of Node.js */
  readonly exe?: string | undefined
  /** Version of the program. @defaultValue that of the package.json nearest to the main script */
  readonly version?: string | undefined
  /** Win over the properties that are found out here. */
  readonly properties: Readonly<Record<string, string>>
}

/**
 * Describes this process and its machine. Never throws: what cannot be found out is replaced by the next best text or
 * left out of the properties. Starts no processes; takes about a millisecond.
 *
 * The properties are those of the Rust SDK (`exe`, `username`, `realname`, `computer`, `distro`, `cpu_brand`,
 * `logical_cpu_count`, `physical_core_count`, `total_memory` in bytes, and `version` of the application) and
 * `node_version` and `pid`.
 */
export function collectProcessInfo(options: ProcessInfoOptions): ProcessInfo {
  const script = mainScript()
  const user = readUser()
  const cpu = readCpu()
  const description = {
    exe: options.exe ?? script ?? process.execPath,
    username: user.name,
    realname: user.realName,
    computer: attempt(() => os.hostname()) ?? 'unknown',
    distro: readDistro(),
    cpuBrand: cpu.brand,
  }
  const { cpuBrand, ...sameNames } = description
  const derived: Record<string, string | undefined> = {
    ...sameNames,
    cpu_brand: cpuBrand,
    logical_cpu_count: cpu.logicalCount?.toString(),
    physical_core_count: cpu.physicalCount?.toString(),
    total_memory: attempt(() => String(os.totalmem())),
    version: options.version ?? (script === undefined ? undefined : readApplicationVersion(script)),
    node_version: process.version,
    pid: String(process.pid),
  }
  const known = Object.entries(derived).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return {
    processId: options.processId,
    ...description,
    tscFrequency: TICKS_PER_SECOND,
    startTimeMicros: options.startTimeMicros,
    startTicks: options.startTicks,
    parentProcessId: options.parentProcessId,
    properties: { ...Object.fromEntries(known), ...options.properties },
  }
}

/** The absolute path Node.js made of the main script; with `-e`, `-p` or a prompt, argument 1 is something else. */
function mainScript(): string | undefined {
  const script = process.argv[1]
  return script !== undefined && path.isAbsolute(script) ? script : undefined
}

function readUser(): { name: string; realName: string } {
  // throws for a user id without an entry, usual in containers
  const name = attempt(() => os.userInfo().username) ?? process.getuid?.().toString() ?? 'unknown'
  return { name, realName: readRealName() ?? name }
}

/** The full name from the user's entry in the password file. */
function readRealName(): string | undefined {
  const uid = process.getuid?.().toString()
  if (process.platform !== 'linux' || uid === undefined) return undefined
  for (const line of readText('/etc/passwd')?.split('\n') ?? []) {
    const fields = line.split(':')
    // further items of the field, after commas, are office and telephone numbers
    if (fields[2] === uid) return fields[4]?.split(',')[0]?.trim() || undefined
  }
  return undefined
}

function readDistro(): string {
  switch (process.platform) {
    case 'linux': {
      const release = readText('/etc/os-release') ?? readText('/usr/lib/os-release')
      const name = release && /^PRETTY_NAME=(?:"([^"\n]*)"|'([^'\n]*)'|([^\n]*))$/m.exec(release)
      const text = name && (name[1] ?? name[2] ?? name[3])
      if (text) return text
      break
    }
    case 'darwin': {
      const plist = readText('/System/Library/CoreServices/SystemVersion.plist')
      const version = plist && /<key>ProductVersion<\/key>\s*<string>([^<]+)<\/string>/.exec(plist)?.[1]
      if (version) return `macOS ${version}`
      break
    }
    case 'win32': // the version is a name, such as Windows 11 Pro
      return attempt(() => `${os.version()} ${os.release()}`) ?? 'Windows'
  }
  return attempt(() => `${os.type()} ${os.release()}`) ?? process.platform
}

interface Cpu {
  readonly brand: string
  readonly logicalCount: number | undefined
  readonly physicalCount: number | undefined
}

/** `os.cpus()` is the fallback: on Linux it reads several files for each processor. */
function readCpu(): Cpu {
  const text = process.platform === 'linux' ? readText('/proc/cpuinfo') : undefined
  const found = text === undefined ? undefined : parseCpuInfo(text)
  if (found?.brand && found.logicalCount) return { ...found, brand: found.brand }
  const cpus = attempt(() => os.cpus()) ?? []
  return {
    brand: cpus[0]?.model.trim() || process.arch,
    logicalCount: cpus.length || undefined,
    physicalCount: found?.physicalCount,
  }
}

/** Reads the text of `/proc/cpuinfo`. Which keys it has depends on the architecture. */
export function parseCpuInfo(text: string): {
  brand: string | undefined
  logicalCount: number
  physicalCount: number | undefined
} {
  let brand: string | undefined
  let logicalCount = 0
  let socket = ''
  const cores = new Set<string>()
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    if (colon < 0) continue
    const key = line.slice(0, colon).trim()
    const value = line.slice(colon + 1).trim()
    if (key === 'processor') logicalCount++
    else if (key === 'model name') brand ??= value
    else if (key === 'physical id') socket = value
    else if (key === 'core id') cores.add(`${socket}/${value}`)
  }
  return { brand: brand || undefined, logicalCount, physicalCount: cores.size || undefined }
}

/** Version in the package.json nearest to the script; one without a version, as builds leave in `dist`, is passed over. */
function readApplicationVersion(script: string): string | undefined {
  // package managers start programs through symbolic links
  const real = attempt(() => fs.realpathSync(script)) ?? script
  let directory = path.dirname(real)
  for (;;) {
    const text = readText(path.join(directory, 'package.json'))
    const version = text && attempt(() => (JSON.parse(text) as { version?: unknown } | null)?.version)
    if (typeof version === 'string' && version !== '') return version
    const parent = path.dirname(directory)
    if (parent === directory) return undefined
    directory = parent
  }
}

function readText(file: string): string | undefined {
  return attempt(() => {
    if (!fs.existsSync(file) || fs.statSync(file).size > MAX_FILE_BYTES) return undefined
    return fs.readFileSync(file, 'utf8')
  })
}

/** What cannot be read here is left out by design: a description of the process must not keep it from starting. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
