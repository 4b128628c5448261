import { type MicromegasServer, startServer } from 'micromegas-server'

/** The server is ESM only: its types are for modules. */
export async function serve(): Promise<void> {
  const server: MicromegasServer = await startServer({ disableAuth: true })
  await server.close()
}
