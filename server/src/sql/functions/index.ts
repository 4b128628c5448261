import type { AggregateFunction, ScalarFunction } from '../plan/call.ts'
import { aggregateFunctions } from './aggregates.ts'
import { conditionalFunctions } from './conditional.ts'
import { histogramFunctions } from './histogram.ts'
import { jsonbFunctions } from './jsonb.ts'
import { listFunctions } from './lists.ts'
import { numberFunctions } from './numbers.ts'
import { structFunctions } from './structs.ts'
import { temporalFunctions } from './temporal.ts'
import { textFunctions } from './text.ts'
import { windowFunctions } from './window.ts'

const scalars = new Map<string, ScalarFunction>()
textFunctions(scalars)
numberFunctions(scalars)
conditionalFunctions(scalars)
temporalFunctions(scalars)
listFunctions(scalars)
structFunctions(scalars)
jsonbFunctions(scalars)
histogramFunctions(scalars)

const aggregates = new Map<string, AggregateFunction>()
aggregateFunctions(aggregates)

const windows = new Map<string, AggregateFunction>()
windowFunctions(windows)

/** Functions by every name they have. */
export const SCALARS: ReadonlyMap<string, ScalarFunction> = scalars
export const AGGREGATES: ReadonlyMap<string, AggregateFunction> = aggregates
export const WINDOWS: ReadonlyMap<string, AggregateFunction> = windows
