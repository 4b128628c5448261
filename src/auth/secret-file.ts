import { isError } from '../model/kinds.ts'
import { builtin } from '../model/runtime/builtins.ts'
import { Secret } from './secret.ts'

const fs = builtin('node:fs')

/** Keys and tokens are a few KiB; the limit keeps a wrong path (a log file, a device) from being read whole. */
const MAX_SECRET_FILE_BYTES = 64 * 1024

/** Looks at a secret's text and says what is wrong with it, without quoting it; `undefined` when it can be used. */
export type SecretCheck = (text: string) => string | undefined

/** The byte order mark of some editors and the newline of most do not belong to the secret. */
export function trimSecretText(text: string): string {
  return text.replace(/^\uFEFF/, '').replace(/[\r\n]+$/, '')
}

/** Why the file cannot be used now, in words that fit behind the name of a setting. */
function describeReadError(error: unknown): string {
  const code = isError(error) && 'code' in error ? String(error.code) : undefined
  if (code === 'ENOENT') return 'names a file that does not exist'
  if (code === 'EACCES' || code === 'EPERM') return 'names a file that this process may not read'
  return `names a file that cannot be read (${code ?? 'unknown error'})`
}

interface FileShape {
  isFile(): boolean
  readonly size: number
}

function shapeProblem(file: FileShape): string | undefined {
  // A pipe or a device could keep a read waiting for ever.
  if (!file.isFile()) return 'names something that is not a regular file'
  if (file.size > MAX_SECRET_FILE_BYTES) return `names a file of more than ${MAX_SECRET_FILE_BYTES} bytes`
  return undefined
}

/**
 * A secret in a mounted file. It is read again at every use rather than watched: Kubernetes swaps a symlink on the path,
 * other systems rewrite the file in place, and reading a few bytes costs less than telling all of these apart. What is
 * there must be usable at the start; later a file that is missing, half-written or unusable leaves the last good value
 * in place.
 */
export class SecretFile {
  readonly path: string
  readonly #setting: string
  readonly #check: SecretCheck
  readonly #warn: (message: string) => void
  #current: Secret
  #reported: string | undefined
  #reading: Promise<Secret> | undefined

  /**
   * Reads the file.
   *
   * @param setting - Name of the option or environment variable that holds the path, for messages.
   * @param check - What else the secret must satisfy; an empty one is refused in any case.
   * @param warn - Told once when the file stops being usable, and not again until it was usable in between.
   * @throws {@link SecretFileError} when there is no usable secret in it.
   */
  constructor(path: string, setting: string, check: SecretCheck, warn: (message: string) => void) {
    this.path = path
    this.#setting = setting
    this.#check = check
    this.#warn = warn
    try {
      const problem = shapeProblem(fs.statSync(path))
      if (problem !== undefined) throw new SecretFileError(`${setting} ${problem}`)
      this.#current = this.#accept(fs.readFileSync(path, 'utf8'))
    } catch (error) {
      if (error instanceof SecretFileError) throw error
      throw new SecretFileError(`${setting} ${describeReadError(error)}`, { cause: error })
    }
  }

  /** The secret as last read. */
  get current(): Secret {
    return this.#current
  }

  /**
   * Reads the file again and gives the secret; the same object as before when the text did not change. Concurrent calls
   * share one read. Never rejects.
   */
  read(): Promise<Secret> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #read(): Promise<Secret> {
    try {
      const problem = shapeProblem(await fs.promises.stat(this.path))
      if (problem !== undefined) throw new SecretFileError(`${this.#setting} ${problem}`)
      this.#current = this.#accept(await fs.promises.readFile(this.path, 'utf8'))
      this.#reported = undefined
    } catch (error) {
      const problem =
        error instanceof SecretFileError ? error.message : `${this.#setting} ${describeReadError(error)}`
      if (problem !== this.#reported) {
        this.#reported = problem
        this.#warn(`${problem}; the last secret read from it stays in use`)
      }
    }
    return this.#current
  }

  #accept(raw: string): Secret {
    const text = trimSecretText(raw)
    if (text.trim() === '') throw new SecretFileError(`${this.#setting} names an empty file`)
    const problem = this.#check(text)
    if (problem !== undefined)
      throw new SecretFileError(`${this.#setting} names a file whose content ${problem}`)
    return this.#current?.reveal() === text ? this.#current : new Secret(text)
  }
}

/** What is wrong with a secret file; the message starts with the setting's name and holds nothing of the content. */
export class SecretFileError extends Error {
  override readonly name: string = 'SecretFileError'
}
