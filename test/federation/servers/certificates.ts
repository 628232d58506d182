import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Certificate {
  /** Files in PEM. */
  readonly key: string
  readonly certificate: string
}

/** A private CA: with its certificate as the only trusted one, who has one of its certificates is a member. */
export interface Authority {
  readonly certificate: string
  /** For a domain and every component under it, as server and as client. */
  issue(domain: string): Certificate
  /** Names as `issue`, but signed by itself. */
  selfSigned(domain: string): Certificate
  /** As `issue`, but it was good until yesterday. */
  expired(domain: string): Certificate
  remove(): void
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
const DAYS = '30'

export function createAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-ca-'))
  const file = (name: string) => join(folder, name)
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })

  openssl(
    ...['req', '-x509', ...CURVE, '-days', DAYS, '-subj', '/CN=Federation CA'],
    ...['-keyout', 'ca.key', '-out', 'ca.pem', '-addext', 'basicConstraints=critical,CA:TRUE'],
  )

  function sign(domain: string, name: string, signing: string[], days = DAYS): Certificate {
    const extensions = file(`${name}.ext`)
    writeFileSync(
      extensions,
      `subjectAltName = DNS:${domain}, DNS:*.${domain}\nextendedKeyUsage = serverAuth, clientAuth\n`,
    )
    const [key, certificate] = [file(`${name}.key`), file(`${name}.pem`)]
    const request = file(`${name}.csr`)
    openssl('req', ...CURVE, '-subj', `/CN=${domain}`, '-keyout', key, '-out', request)
    openssl(
      ...['x509', '-req', '-in', request, '-out', certificate, '-days', days],
      ...['-extfile', extensions, ...signing.map((part) => (part === 'KEY' ? key : part))],
    )
    return { key, certificate }
  }

  const byAuthority = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial']

  return {
    certificate: file('ca.pem'),
    issue: (domain) => sign(domain, domain, byAuthority),
    expired: (domain) => sign(domain, `${domain}-expired`, byAuthority, '-1'),
    selfSigned: (domain) => sign(domain, `${domain}-self`, ['-signkey', 'KEY']),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
