import { ServerCredentials } from '@grpc/grpc-js'
import { describe, expect, test } from 'vitest'
import { FlightSQLClient } from '../../src/query/index.ts'
import { type Certificates, makeCertificates } from './support/certificates.ts'
import { startConnectProxy } from './support/connect-proxy.ts'
import { answer, type FlightServer, type GetCall, startFlightServer } from './support/flight-server.ts'
import { batchMessages, schemaMessage } from './support/raw-server.ts'

const certificates = makeCertificates()

describe.skipIf(certificates === undefined)('TLS', () => {
  const { ca, cert, key, clientCert, clientKey } = certificates ?? ({} as Certificates)

  function startTlsServer(checkClient = false): Promise<FlightServer> {
    const credentials = ServerCredentials.createSsl(
      checkClient ? ca : null,
      [{ private_key: key, cert_chain: cert }],
      checkClient,
    )
    return startFlightServer(
      { doGet: (call: GetCall) => answer(call, [schemaMessage, batchMessages[0]!]) },
      { credentials },
    )
  }

  test.each(['grpc+tls', 'https'])(
    'a server with a certificate of an own authority is reached by %s when it is trusted',
    async (scheme) => {
      await using server = await startTlsServer()
      await using client = new FlightSQLClient(`${scheme}://localhost:${server.port}`, { ca })
      expect((await client.query('select 1')).numRows).toBe(100)
      await using byText = new FlightSQLClient(`${scheme}://127.0.0.1:${server.port}`, {
        ca: [ca.toString()],
      })
      expect((await byText.query('select 1')).numRows).toBe(100)
    },
  )

  test('a certificate that nobody vouches for is refused, with the reason', async () => {
    await using server = await startTlsServer()
    await using client = new FlightSQLClient(`grpc+tls://localhost:${server.port}`)
    await expect(client.query('select 1')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/certificate/),
    })
  })

  test('a certificate of another host is refused', async () => {
    await using server = await startTlsServer()
    await using client = new FlightSQLClient(`grpc+tls://[::ffff:7f00:1]:${server.port}`, { ca })
    await expect(client.query('select 1')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  test('a server that wants a certificate of the client gets it', async () => {
    await using server = await startTlsServer(true)
    const uri = `grpc+tls://localhost:${server.port}`
    await using client = new FlightSQLClient(uri, { ca, cert: clientCert, key: clientKey })
    expect((await client.query('select 1')).numRows).toBe(100)
    await using stranger = new FlightSQLClient(uri, { ca })
    await expect(stranger.query('select 1')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  test('a server without TLS is an error to a client with it, and the other way round', async () => {
    await using plain = await startFlightServer({})
    await using client = new FlightSQLClient(`grpc+tls://127.0.0.1:${plain.port}`, { ca })
    await expect(client.query('select 1')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await using secure = await startTlsServer()
    await using other = new FlightSQLClient(`grpc://127.0.0.1:${secure.port}`)
    await expect(other.query('select 1')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  test('TLS goes through a proxy to the host that is meant', async () => {
    await using server = await startTlsServer()
    await using proxy = await startConnectProxy(server.port)
    await using client = new FlightSQLClient('grpc+tls://analytics.test:443', { ca, proxy: proxy.url })
    expect((await client.query('select 1')).numRows).toBe(100)
    expect(proxy.requests).toEqual(['analytics.test:443'])
  })

  test('what is no PEM is said at the start', () => {
    expect(() => new FlightSQLClient('grpc+tls://localhost', { cert: 'no', key: 'no' })).toThrow(
      'Cannot use ca, cert or key: expected PEM',
    )
  })
})
