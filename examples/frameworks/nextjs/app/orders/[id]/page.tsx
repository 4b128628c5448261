import { asyncSpan, logger } from 'micromegas'

const log = logger('shop')

export default async function Order({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params
  return asyncSpan('render order', { target: 'shop', properties: { order: id } }, async () => {
    log.info`order ${id}`
    return <h1>Order {id}</h1>
  })
}
