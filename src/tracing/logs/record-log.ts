import { Level } from '../../model/level.ts'
import { dispatch } from '../dispatch.ts'
import { MAX_MESSAGE_CHARS } from '../limits.ts'
import { toName } from '../metric.ts'
import { logTags } from '../spans/span-tags.ts'
import { type Properties, type PropertySet, propertySet } from '../values/property-set.ts'
import { renderValue } from '../values/render-value.ts'

/** Target of what the host writes to its console; a sink that shows logs there does not show it again. */
export const CONSOLE_TARGET = 'console'

/**
 * Records one log event whose level and target belong to the event: for bridges from other logging libraries. Filtered
 * by `interopMaxLevel` besides the filters of every log. Never throws.
 */
export function recordLog(
  level: Level,
  target: string,
  message: string,
  properties?: PropertySet | Properties,
): void {
  record(level, target, message, properties, false)
}

/** The same for what the other library shows itself: sinks that show logs at once do not. */
export function recordShownLog(
  level: Level,
  target: string,
  message: string,
  properties?: PropertySet | Properties,
): void {
  record(level, target, message, properties, true)
}

function record(
  level: Level,
  target: string,
  message: string,
  properties: PropertySet | Properties | undefined,
  isShown: boolean,
): void {
  if (!Number.isInteger(level) || level <= Level.Off) return
  const shownTarget = toName(target)
  if (level > dispatch.filters.interopMaxLevelOf(shownTarget)) return
  const text = renderValue(message, MAX_MESSAGE_CHARS)
  const set = properties === undefined ? undefined : propertySet(properties)
  if (level <= dispatch.filters.blockMaxLevel) {
    dispatch.log.writeInterop(level, shownTarget, text, logTags(set))
  }
  if (!isShown && level <= dispatch.attentionLevel) dispatch.attend(level, shownTarget, text, set)
}
