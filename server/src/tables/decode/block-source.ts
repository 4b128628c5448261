/** A stored block, as the tables need to know it before they read it. */
export interface BlockFacts {
  readonly blockId: string
  readonly streamId: string
  /** Relative to the start of the process. */
  readonly beginTicks: bigint
  readonly endTicks: bigint
  /** Microseconds since the Unix epoch. */
  readonly beginTimeMicros: bigint
  readonly endTimeMicros: bigint
  readonly objectOffset: bigint
  readonly eventCount: number
  /** Milliseconds since the Unix epoch. */
  readonly insertTimeMs: number
  /** Bytes of the payload in CBOR, where they are known without reading the block. */
  readonly payloadBytes?: number | undefined
}

export interface ItemFacts {
  readonly id: string
  /** Milliseconds since the Unix epoch. */
  readonly insertTimeMs: number
}

export interface Inventory {
  readonly processes: readonly ItemFacts[]
  readonly streams: readonly ItemFacts[]
  readonly blocks: readonly BlockFacts[]
}

/** What happened in the store since the tables last asked. */
export interface InventoryChange {
  readonly processes: readonly ItemFacts[]
  readonly streams: readonly ItemFacts[]
  readonly blocks: readonly BlockFacts[]
  /** Ids of what was deleted. */
  readonly removed: {
    readonly processes: readonly string[]
    readonly streams: readonly string[]
    readonly blocks: readonly string[]
  }
}

/** Where the tables read the telemetry from: the store, which stays the truth. */
export interface BlockSource {
  /** Everything that is stored. */
  inventory(): Promise<Inventory>
  /** The body of the request an item came with; `undefined` when it is gone. */
  read(kind: 'process' | 'stream' | 'block', id: string): Promise<Uint8Array | undefined>
}
