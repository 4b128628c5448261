import { traceFetchHandler } from 'micromegas/http'

export const dynamic = 'force-dynamic'

export const GET = traceFetchHandler(
  async (_request: Request): Promise<Response> => {
    throw new RangeError('no card')
  },
  { route: '/pay' },
)
