import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Certificates {
  /** The authority. */
  readonly ca: Buffer
  /** Of `localhost`, `127.0.0.1` and `analytics.test`, signed by it. */
  readonly cert: Buffer
  readonly key: Buffer
  readonly clientCert: Buffer
  readonly clientKey: Buffer
}

/** An authority of our own and what it signed, by openssl; `undefined` where that is not installed. */
export function makeCertificates(): Certificates | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'micromegas-tls-'))
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  }
  const read = (name: string): Buffer => readFileSync(join(folder, name))
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const issue = (name: string, subject: string, names: string): void => {
    openssl(
      'req',
      ...curve,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      subject,
      '-addext',
      names,
    )
    const signed = [
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-copy_extensions',
      'copy',
      '-days',
      '3650',
    ]
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...signed)
  }
  try {
    openssl(
      'req',
      '-x509',
      ...curve,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-days',
      '3650',
      '-subj',
      '/CN=Test authority',
    )
    issue('server', '/CN=localhost', 'subjectAltName=DNS:localhost,DNS:analytics.test,IP:127.0.0.1')
    issue('client', '/CN=client', 'extendedKeyUsage=clientAuth')
    return {
      ca: read('ca.pem'),
      cert: read('server.pem'),
      key: read('server.key'),
      clientCert: read('client.pem'),
      clientKey: read('client.key'),
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
