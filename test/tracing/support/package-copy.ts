/** What a program uses of the recording side, to be compiled into copies of it. */

export { Level } from '../../../src/model/level.ts'
export { EVENT_READERS } from '../../../src/telemetry/decode/event-readers.ts'
export { Dispatch, dispatch } from '../../../src/tracing/dispatch.ts'
export { logger } from '../../../src/tracing/logs/logger.ts'
export { fmetric } from '../../../src/tracing/metric.ts'
export { asyncSpan, defineSpan, span } from '../../../src/tracing/spans/span.ts'
export { propertySet } from '../../../src/tracing/values/property-set.ts'
export { BlockParser } from '../../../src/transit/parser.ts'
export { BlockCollector, processOf } from './block-collector.ts'
