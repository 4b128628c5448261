/**
 * A message with the stack of its error below. A stack begins with the error's own message: it is not said twice where
 * the log's message is no other.
 */
export function withStack(message: string, stack: string): string {
  const frames = stack.indexOf('\n    at ')
  const headline = frames < 0 ? stack : stack.slice(0, frames)
  return headline.endsWith(message) ? stack : `${message}\n${stack}`
}
