import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A certificate authority of nobody else's. */
export interface PrivateCa {
  /** PEM */
  certificate: string
  file: string
  /** @param names - `DNS:cloud.example`, `IP:127.0.0.1` */
  issue(...names: string[]): Promise<{ key: string; cert: string }>
  remove(): Promise<void>
}

export async function createPrivateCa(): Promise<PrivateCa> {
  const folder = await mkdtemp(join(tmpdir(), 'fogbow-ca-'))
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder })
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const authority = ['-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Private CA', '-days', '2']
  await openssl('req', '-x509', ...curve, ...authority)
  const read = (file: string) => readFile(join(folder, file), 'utf8')
  return {
    certificate: await read('ca.pem'),
    file: join(folder, 'ca.pem'),
    async issue(...names) {
      await openssl('req', ...curve, '-keyout', 'a.key', '-out', 'a.csr', '-subj', '/CN=server')
      await writeFile(join(folder, 'names'), `subjectAltName=${names.join(',')}\n`)
      const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-extfile', 'names', '-days', '2']
      await openssl('x509', '-req', '-in', 'a.csr', '-out', 'a.pem', ...signing)
      return { key: await read('a.key'), cert: await read('a.pem') }
    },
    remove: () => rm(folder, { recursive: true }),
  }
}
