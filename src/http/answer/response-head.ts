/** An answer, as far as it matters at the end of a process. */
export interface ResponseHead {
  readonly status: number
  /** Whether the connection can carry another request: the answer is read to its end, and the server keeps it. */
  readonly isReusable: boolean
}

/**
 * Reads the status of an HTTP/1.1 answer; interim answers are passed over.
 *
 * @param text - What has come of it, a character a byte.
 * @param isEnd - Whether nothing more comes.
 * @returns Undefined while it is not there.
 * @throws Error when it will never be.
 */
export function readStatus(text: string, isEnd: boolean): ResponseHead | undefined {
  for (let at = 0; ; ) {
    const end = text.indexOf('\r\n\r\n', at)
    if (end < 0) {
      if (isEnd || !'HTTP/1.'.startsWith(text.slice(at, at + 7))) throw new Error('there is no answer')
      return undefined
    }
    const head = text.slice(at, end)
    const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(head)?.[1] ?? Number.NaN)
    if (Number.isNaN(status)) throw new Error('what it answers is not HTTP')
    at = end + 4
    if (status < 200) continue
    const length = /^content-length:[ \t]*(\d+)[ \t]*$/im.exec(head)?.[1]
    const isWhole = status === 204 || (length !== undefined && text.length - at === Number(length))
    const isKept = !isEnd && !/^connection:.*\bclose\b/im.test(head) && !/^HTTP\/1\.0/.test(head)
    return { status, isReusable: isWhole && isKept }
  }
}
