import { pay } from '../../work.mjs'

export const dynamic = 'force-dynamic'

export function GET(): Response {
  throw pay()
}
