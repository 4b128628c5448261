/**
 * Resolves once the condition holds. It looks as often as the event loop turns, and for as long as the test may take: how fast
 * the machine is decides nothing.
 */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
}
