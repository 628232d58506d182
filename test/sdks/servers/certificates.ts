import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'

export interface Certificates {
  /** Holds all files named below, and goes when the tests of the file are through. */
  folder: string
  /** PEM of the authority that clients are to trust, and the file it is in. */
  authority: string
  authorityFile: string
  /** Certificate of the servers, and its key. */
  certificate: string
  certificateFile: string
  key: string
  keyFile: string
}

/**
 * A private authority and one certificate of a server, valid for a day.
 * @param names - for which the certificate is, as in `subjectAltName`
 */
export function makeCertificates(names = 'DNS:*.cloud.example'): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-certificates-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const file = (name: string) => join(folder, name)
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const newKey = ['-newkey', 'rsa:2048', '-nodes']
  writeFileSync(file('server.ext'), `subjectAltName=${names}\nbasicConstraints=CA:FALSE\n`)
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '1',
    '-subj',
    '/CN=Test authority',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  )
  openssl('req', ...newKey, '-subj', '/CN=server', '-keyout', 'server.key', '-out', 'server.csr')
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '1',
    '-extfile',
    'server.ext',
    '-out',
    'server.pem',
  )
  const text = (name: string) => readFileSync(file(name), 'utf8')
  return {
    folder,
    authority: text('ca.pem'),
    authorityFile: file('ca.pem'),
    certificate: text('server.pem'),
    certificateFile: file('server.pem'),
    key: text('server.key'),
    keyFile: file('server.key'),
  }
}
