/** What a reader of events does with those it does not know; without it they are passed over. */
export interface EventOptions {
  /** Called with the type name of each event that the reader has no use for, and its index in the block. */
  readonly onUnknown?: ((typeName: string, index: number) => void) | undefined
}
