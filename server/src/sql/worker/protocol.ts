import type { Inventory, InventoryChange } from '../../tables/decode/block-source.ts'
import type { IpcMessage } from '../arrow/ipc.ts'
import type { QueryAudit, SqlBatch, SqlCaller, SqlRequest } from '../engine.ts'
import type { EngineOptions } from '../local-engine.ts'
import type { PlainSqlError } from '../sql-error.ts'
import type { Field } from '../types/arrow-type.ts'

/** Options that can be sent to another thread. */
export type WorkerOptions = Omit<EngineOptions, 'warn' | 'audit' | 'wallClock'>

/** Batches that the worker may send before the reader has asked for more. */
export const BATCHES_AHEAD = 4

export type ToWorker =
  | { readonly type: 'query'; readonly id: number; readonly request: Omit<SqlRequest, 'signal'> }
  | { readonly type: 'prepare'; readonly id: number; readonly sql: string; readonly caller: SqlCaller }
  /** The reader takes another batch. */
  | { readonly type: 'more'; readonly id: number }
  /** The reader takes no more; the query is stopped. */
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'change'; readonly change: InventoryChange }
  | { readonly type: 'body'; readonly id: number; readonly body: Uint8Array | undefined }
  | { readonly type: 'bodyFailed'; readonly id: number; readonly message: string }
  | { readonly type: 'inventory'; readonly inventory: Inventory }
  | { readonly type: 'close' }

export type FromWorker =
  | { readonly type: 'opened' }
  | { readonly type: 'failed'; readonly message: string }
  | {
      readonly type: 'answer'
      readonly id: number
      readonly fields: readonly Field[]
      readonly schema: IpcMessage
    }
  | { readonly type: 'batch'; readonly id: number; readonly batch: SqlBatch }
  | { readonly type: 'end'; readonly id: number }
  | { readonly type: 'error'; readonly id: number; readonly error: PlainSqlError }
  | {
      readonly type: 'read'
      readonly id: number
      readonly kind: 'process' | 'stream' | 'block'
      readonly itemId: string
    }
  | { readonly type: 'list' }
  | { readonly type: 'warn'; readonly message: string }
  | { readonly type: 'audit'; readonly audit: QueryAudit }
  | { readonly type: 'closed' }
