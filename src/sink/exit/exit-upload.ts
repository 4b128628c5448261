import type { Settlement } from '../upload/delivery-ledger.ts'
import { classifyResponse } from '../upload/outcome.ts'
import type { UploadItem } from '../upload/upload-item.ts'
import type { Uploader } from '../upload/uploader.ts'
import type { BlockingDelivery } from './exit-delivery.ts'

/**
 * Uploads items while this thread is blocked, the most important first, for as long as there is time. Those on disk are
 * left there.
 *
 * @param open - Opens the way that they go, for so many items.
 * @returns How the items ended that did; the others are as they were.
 * @throws What `open` throws.
 */
export function uploadNow(
  items: Iterable<UploadItem>,
  uploader: Uploader,
  open: (capacity: number) => BlockingDelivery,
): Map<UploadItem, Settlement> {
  const ordered = [...items].filter((item) => !item.isStored).sort((a, b) => a.priority - b.priority)
  const settlements = new Map<UploadItem, Settlement>()
  const delivery = open(ordered.length)
  try {
    const sent: UploadItem[] = []
    for (const item of ordered) {
      if (delivery.expired) break
      try {
        delivery.send(uploader.requestNow(item))
        sent.push(item)
      } catch {
        settlements.set(item, { dropped: 'encoding' })
      }
    }
    const statuses = delivery.wait()
    sent.forEach((item, index) => {
      const settlement = settlementOf(statuses[index] ?? 0)
      if (settlement !== undefined) settlements.set(item, settlement)
    })
  } finally {
    delivery.close()
  }
  return settlements
}

function settlementOf(status: number): Settlement | undefined {
  if (status === 0) return undefined
  const outcome = classifyResponse({ status, retryAfter: undefined, date: undefined }, 0)
  if (outcome.kind === 'delivered') return 'delivered'
  return outcome.kind === 'drop' ? { dropped: outcome.reason } : undefined
}
