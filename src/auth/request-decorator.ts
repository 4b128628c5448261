/** One upload attempt, before it is sent. */
export interface DecoratedRequest {
  readonly method: 'POST'
  readonly url: URL
  /** Add credentials here; names are case-insensitive. */
  readonly headers: Headers
  /** The bytes that are sent, the same for every attempt of an item; not to be changed. */
  readonly body: Uint8Array
}

/** Adds credentials to upload requests. */
export interface RequestDecorator {
  /**
   * Adds credentials to one attempt. Runs before every attempt, so it must be cheap when nothing changed.
   *
   * @throws {@link PermanentDecoratorError} when trying again is useless; any other error counts as passing trouble and
   * the request is tried again.
   */
  decorate(request: DecoratedRequest, signal: AbortSignal): void | Promise<void>
  /**
   * Called when the server refused the request's credentials (401), with the request as it was sent: forget that token,
   * not a newer one. The request is decorated again and retried.
   */
  onRejected?(request: DecoratedRequest, status: number): void | Promise<void>
  /**
   * Called when the sink has shut down: abandon what goes on in the background, so that it does not keep the process from
   * ending. Decorators can be shared between sinks, so one that is used again afterwards must work.
   */
  close?(): void
}

/** Makes the decorator of one sink; called once per sink, before its first request. */
export type RequestDecoratorFactory = () => RequestDecorator | Promise<RequestDecorator>
