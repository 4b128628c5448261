/** Gives the token that a client sends with each call, as `Authorization: Bearer …`. */
export interface AuthProvider {
  /**
   * A token that is valid now. Called before every call, also by many calls at once: it should answer from memory while
   * the token lasts, and renew it once for all who wait.
   *
   * @param options.signal - Ends the waiting of this caller; others may still wait for the same token.
   * @throws Whatever keeps a token from being had: the call fails with it.
   */
  getToken(options?: { readonly signal?: AbortSignal | undefined }): Promise<string>
}
