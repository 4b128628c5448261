type AnyFunction = (this: never, ...args: never[]) => unknown

/**
 * Puts another function in the place of a method.
 *
 * @param make - Gets the method, and whether the new one is still to do more than call it: others may have wrapped that meanwhile,
 * and keep it for good.
 * @param marker - Kept on the function, where the ESM and the CommonJS build of this package are to do so once together.
 * @returns Ends it.
 */
export function wrapMethod<Name extends PropertyKey, Method extends AnyFunction>(
  holder: Record<Name, Method>,
  name: Name,
  make: (original: Method, isOn: () => boolean) => Method,
  marker?: symbol,
): () => void {
  const original = holder[name]
  if (typeof original !== 'function' || (marker !== undefined && marker in original)) return () => {}
  const inherits = !Object.hasOwn(holder, name)
  let isOn = true
  const wrapped = make(original, () => isOn)
  if (marker !== undefined) Object.defineProperty(wrapped, marker, { value: true })
  holder[name] = wrapped
  return () => {
    isOn = false
    if (holder[name] !== wrapped) return
    if (inherits) Reflect.deleteProperty(holder, name)
    else holder[name] = original
  }
}
