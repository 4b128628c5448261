import type { AggregateFunction, ScalarFunction } from '../plan/expression/call.ts'
import { aggregateFunctions } from './aggregates/aggregates.ts'
import { histogramFunctions } from './aggregates/histogram.ts'
import { windowFunctions } from './aggregates/window.ts'
import { conditionalFunctions } from './conditional.ts'
import { jsonbFunctions } from './jsonb.ts'
import { listFunctions } from './lists/lists.ts'
import { structFunctions } from './lists/structs.ts'
import { numberFunctions } from './numbers.ts'
import { temporalFunctions } from './temporal.ts'
import { textFunctions } from './text.ts'

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
