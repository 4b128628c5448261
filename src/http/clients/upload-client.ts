import type { HttpRequest, UploadResponse } from '../answer/http-response.ts'

export interface PostRequest extends HttpRequest {
  readonly method: 'POST'
  readonly body: Uint8Array
}

/** Posts requests to one service, and says what it answers. */
export interface UploadClient {
  /** Requests repeated at once since the server had closed the kept connection. */
  readonly staleRetries: number
  /**
   * Sends one request. The caller bounds how many run at once, and so the connections.
   *
   * @throws {@link TransportError} when there is no answer before the signal ends it.
   */
  post(request: PostRequest, signal: AbortSignal): Promise<UploadResponse>
  /** Destroys all connections; resolves once their sockets are closed. The client can be used again. */
  close(): Promise<void>
}
