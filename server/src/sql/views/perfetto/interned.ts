import { Proto } from './proto.ts'

/** Texts of a kind that are kept: beyond, what was written is forgotten, and written again when it is next needed. */
const MAX_KEPT = 50_000

/** Texts that a trace writes once and then names by number. Numbers are never used twice. */
export class Interned {
  readonly #known = new Map<string, number>()
  readonly #field: number
  #last = 0
  #fresh: Proto[] = []

  /** @param field - Of the message that takes what is new (`InternedData`). */
  constructor(field: number) {
    this.#field = field
  }

  /** @param describe - Adds what is known of it to its entry, which begins with the number. */
  idOf(key: string, describe: (entry: Proto) => Proto): bigint {
    const known = this.#known.get(key)
    if (known !== undefined) return BigInt(known)
    if (this.#known.size >= MAX_KEPT) this.#known.clear()
    this.#known.set(key, ++this.#last)
    this.#fresh.push(describe(new Proto().varint(1, BigInt(this.#last))))
    return BigInt(this.#last)
  }

  /** Writes what came since the last call. */
  writeFresh(data: Proto): void {
    for (const entry of this.#fresh) data.message(this.#field, entry)
    this.#fresh = []
  }
}
