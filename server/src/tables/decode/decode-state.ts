import { type DecodedViewSet, VIEW_SETS } from '../schema.ts'

const NAMES: ReadonlyMap<number, DecodedViewSet> = new Map(
  Object.entries(VIEW_SETS).map(([name, number]) => [number, name as DecodedViewSet]),
)

/** Which blocks each set of views has decoded. */
export class DecodeState {
  readonly #decoded = new Map<DecodedViewSet, Set<number>>(
    [...NAMES.values()].map((name) => [name, new Set<number>()]),
  )
  readonly #unreadable = new Set<number>()

  get unreadableCount(): number {
    return this.#unreadable.size
  }

  has(viewSet: DecodedViewSet, block: number): boolean {
    return this.#decoded.get(viewSet)!.has(block)
  }

  add(viewSet: DecodedViewSet, block: number, isUnreadable: boolean): void {
    this.#decoded.get(viewSet)!.add(block)
    if (isUnreadable) this.#unreadable.add(block)
  }

  /** As it stands in the database. */
  restore(viewSetNumber: number, block: number, isUnreadable: boolean): void {
    const name = NAMES.get(viewSetNumber)
    if (name !== undefined) this.add(name, block, isUnreadable)
  }

  /** Of one set of views, or of all. */
  forget(block: number, viewSet?: DecodedViewSet): void {
    if (viewSet !== undefined) {
      this.#decoded.get(viewSet)!.delete(block)
      return
    }
    for (const blocks of this.#decoded.values()) blocks.delete(block)
    this.#unreadable.delete(block)
  }
}
