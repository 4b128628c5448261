import { findUser } from '../../../work.mjs'

export async function GET(
  _request: Request,
  { params }: { params: Promise<{ id: string }> },
): Promise<Response> {
  return Response.json(await findUser((await params).id))
}
