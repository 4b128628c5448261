import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { type ApiKey, ApiKeyVerifier } from './api-keys.ts'
import type { AuthOutcome, TokenVerifier } from './identity.ts'

export interface ApiKeyFileOptions {
  readonly path: string
  /**
   * Reads the text of the file.
   *
   * @throws Error whose message says what is wrong, and shows no key.
   */
  readonly parse: (text: string) => readonly ApiKey[]
  /** Told once when a changed file cannot be used, and once when it can again. */
  readonly warn: (message: string) => void
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

/** A thousand keys have some 100 kB; the limit keeps a wrong path (a log file, a device) from being read whole. */
const MAX_FILE_BYTES = 1024 * 1024
/** A changed file counts at the first request after this time. */
const CHECK_MS = 1_000

/**
 * API keys from a file, which is read again while requests come: Kubernetes swaps a link on the path, others rewrite the
 * file in place or put another one there, and reading it costs less than telling these apart. A file that is missing,
 * half-written or wrong leaves the keys in force that there were.
 */
export class ApiKeyFile implements TokenVerifier {
  readonly #options: ApiKeyFileOptions
  #text: string
  #verifier: ApiKeyVerifier
  #checkedAtMs: number
  #checking: Promise<void> | undefined
  #problem: string | undefined

  private constructor(options: ApiKeyFileOptions, text: string) {
    this.#options = options
    this.#text = text
    this.#verifier = new ApiKeyVerifier(options.parse(text))
    this.#checkedAtMs = options.clock()
  }

  /** @throws Error when the file cannot be read or holds something else; the message shows no key. */
  static async open(options: ApiKeyFileOptions): Promise<ApiKeyFile> {
    return new ApiKeyFile(options, await readText(options.path))
  }

  async verify(token: string): Promise<AuthOutcome> {
    if (this.#options.clock() - this.#checkedAtMs >= CHECK_MS) {
      this.#checking ??= this.#check().finally(() => {
        this.#checking = undefined
      })
      // Also for those that come meanwhile: a key that was taken away is refused from then on.
      await this.#checking
    }
    return this.#verifier.verify(token)
  }

  async #check(): Promise<void> {
    const { path, parse, warn, clock } = this.#options
    try {
      const text = await readText(path)
      if (text !== this.#text || this.#problem !== undefined) {
        this.#verifier = new ApiKeyVerifier(parse(text))
        this.#text = text
      }
      if (this.#problem !== undefined) warn(`the API keys in ${path} can be used again`)
      this.#problem = undefined
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      if (problem !== this.#problem)
        warn(`the API keys in ${path} cannot be used, those from before stay in force: ${problem}`)
      this.#problem = problem
    } finally {
      this.#checkedAtMs = clock()
    }
  }
}

async function readText(path: string): Promise<string> {
  // Opening a FIFO would wait for somebody to write into it.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const { size, ...stat } = await file.stat()
    if ((stat.mode & constants.S_IFMT) !== constants.S_IFREG) throw new Error('it is not a regular file')
    if (size > MAX_FILE_BYTES) throw new Error(`it has more than ${MAX_FILE_BYTES} bytes`)
    return (await file.readFile('utf8')).replace(/^\uFEFF/, '')
  } finally {
    await file.close()
  }
}
