import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { builtin } from '../model/runtime/builtins.ts'

const AUTO = '@opentelemetry/auto-instrumentations-node'
const SINGLE = '@opentelemetry/instrumentation-'

interface Instrumentation {
  readonly instrumentationName?: string
}

/** The instrumentations of OpenTelemetry that run. */
export interface Enabled {
  /** What the start says of them; `undefined` where there are none. */
  readonly shown: string | undefined
  /** What they record: `http`, `undici`, `pino`. */
  readonly recorded: ReadonlySet<string>
}

/**
 * Enables the instrumentations that the program has installed: those of `@opentelemetry/auto-instrumentations-node`, or else
 * the single ones among the dependencies in its `package.json`. Their hooks for ES modules are registered.
 *
 * @throws whatever they throw.
 */
export function enableInstrumentations(): Enabled {
  const auto = resolveFromProgram(AUTO)
  if (auto !== undefined) {
    const instrumentations = requireFrom(auto)(auto).getNodeAutoInstrumentations()
    return { shown: 'its auto-instrumentations', recorded: enable(instrumentations, auto) }
  }
  const names = ownDependencies().filter((name) => name.startsWith(SINGLE))
  const found = names.map(resolveFromProgram).filter((path) => path !== undefined)
  if (found.length === 0) return { shown: undefined, recorded: new Set() }
  const instrumentations = found.flatMap((path) => instrumentationsOf(requireFrom(path)(path)))
  const recorded = enable(instrumentations, found[0]!)
  return { shown: `its instrumentations of ${[...recorded].join(', ')}`, recorded }
}

/** Where the program finds a package: beside its main script, or the working directory. */
export function resolveFromProgram(name: string): string | undefined {
  for (const place of programPlaces()) {
    try {
      return requireFrom(place).resolve(name)
    } catch {
      // not installed there
    }
  }
  return undefined
}

function enable(instrumentations: readonly Instrumentation[], beside: string): ReadonlySet<string> {
  const { register } = builtin('node:module')
  register('@opentelemetry/instrumentation/hook.mjs', builtin('node:url').pathToFileURL(beside))
  requireFrom(beside)('@opentelemetry/instrumentation').registerInstrumentations({ instrumentations })
  return new Set(
    instrumentations.map(({ instrumentationName = '' }) => instrumentationName.replace(SINGLE, '')),
  )
}

function instrumentationsOf(exports: Readonly<Record<string, unknown>>): readonly Instrumentation[] {
  return Object.entries(exports).flatMap(([name, value]) => {
    if (typeof value !== 'function' || !name.endsWith('Instrumentation')) return []
    return typeof value.prototype?.enable === 'function'
      ? [Reflect.construct(value, []) as Instrumentation]
      : []
  })
}

function ownDependencies(): readonly string[] {
  for (const place of programPlaces()) {
    for (let folder = dirname(place); ; folder = dirname(folder)) {
      try {
        return Object.keys(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).dependencies ?? {})
      } catch {
        // none there, or none that can be read
      }
      if (folder === dirname(folder)) break
    }
  }
  return []
}

function programPlaces(): readonly string[] {
  const places = [process.argv[1], join(process.cwd(), 'index.js')]
  return places.filter(
    (place) => place !== undefined && (place.startsWith('/') || /^[a-z]:/i.test(place)),
  ) as string[]
}

function requireFrom(place: string): NodeJS.Require {
  return builtin('node:module').createRequire(place)
}
