import type { PropertyList } from '../../transit/value.ts'

/** Properties of an event or a process by key. Keys may be any string, `__proto__` included; values are own properties. */
export type DecodedProperties = Readonly<Record<string, string>>

export const NO_PROPERTIES: DecodedProperties = Object.freeze({})

/** A block's events share their property sets: each list becomes one object, however many events refer to it. */
const byList = new WeakMap<PropertyList, DecodedProperties>()

/** Looks a property set up by key; of a repeated key the last value counts, as in the reference's analytics. */
export function propertiesOf(list: PropertyList | undefined): DecodedProperties {
  if (list === undefined || list.length === 0) return NO_PROPERTIES
  let properties = byList.get(list)
  if (properties === undefined) {
    properties = Object.freeze(Object.fromEntries(list))
    byList.set(list, properties)
  }
  return properties
}
