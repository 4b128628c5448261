/** Ten clients that place orders and look them up, one after the other, until the time is over. */
export async function placeOrders(url: string, seconds: number): Promise<number> {
  const until = Date.now() + seconds * 1000
  let requests = 0
  const client = async (): Promise<void> => {
    while (Date.now() < until) {
      const sku = ['tea', 'coffee', 'mug', 'tea', 'unobtainium'][Math.floor(Math.random() * 5)]
      const body = JSON.stringify({ sku, quantity: 1 + Math.floor(Math.random() * 3) })
      const placed = await fetch(`${url}/orders`, { method: 'POST', body })
      requests++
      if (!placed.ok) continue
      const { id } = (await placed.json()) as { id: number }
      await (await fetch(`${url}/orders/${id}`)).arrayBuffer()
      requests++
    }
  }
  await Promise.all(Array.from({ length: 10 }, client))
  return requests
}
