import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { type Certificates, makeCertificates } from '../../sdks/servers/certificates.ts'
import { freePort } from '../../sdks/servers/free-port.ts'
import { access, entries, SUFFIX } from './directory.ts'

/** OpenLDAP itself, on free ports of this machine, with a directory of its own. */
export interface Slapd {
  /** `ldap://127.0.0.1:PORT`, with StartTLS, and `ldaps://…`. */
  url: string
  secureUrl: string
  certificates: Certificates
  /** Ends it as a machine that is switched off. */
  stop(): Promise<void>
  /** On the same ports, with what was in the directory. */
  start(): Promise<void>
}

/** Ends with the tests of the file. */
export async function startSlapd(): Promise<Slapd> {
  const certificates = makeCertificates('IP:127.0.0.1,DNS:ldap.cloud.example')
  const folder = join(certificates.folder, 'slapd')
  mkdirSync(join(folder, 'data'), { recursive: true })
  const configuration = join(folder, 'slapd.conf')
  writeFileSync(configuration, configurationText(folder, certificates))
  execFileSync('/usr/sbin/slapadd', ['-f', configuration], { input: entries, stdio: 'pipe' })
  const [port, securePort] = [await freePort(), await freePort()]
  const url = `ldap://127.0.0.1:${port}`
  const secureUrl = `ldaps://127.0.0.1:${securePort}`
  const args = ['-d', '0', '-h', `${url}/ ${secureUrl}/`, '-f', configuration]
  let server: ChildProcess | undefined
  const slapd: Slapd = {
    url,
    secureUrl,
    certificates,
    async start() {
      server = spawn('/usr/sbin/slapd', args, { stdio: ['ignore', 'ignore', 'inherit'] })
      await untilListening(port)
    },
    async stop() {
      if (!server) return
      server.kill('SIGKILL')
      await once(server, 'exit')
      server = undefined
    },
  }
  after(() => slapd.stop())
  await slapd.start()
  return slapd
}

function configurationText(
  folder: string,
  { authorityFile, certificateFile, keyFile }: Certificates,
) {
  const schemas = ['core', 'cosine', 'inetorgperson'].map(
    (name) => `include /etc/ldap/schema/${name}.schema`,
  )
  return `${schemas.join('\n')}
pidfile ${folder}/pid
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
TLSCACertificateFile ${authorityFile}
TLSCertificateFile ${certificateFile}
TLSCertificateKeyFile ${keyFile}
database mdb
suffix "${SUFFIX}"
rootdn "cn=admin,${SUFFIX}"
rootpw admin-secret
directory ${folder}/data
${access}overlay memberof
overlay ppolicy
ppolicy_default "cn=usual,ou=policies,${SUFFIX}"
ppolicy_use_lockout
`
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const socket = connect(port, '127.0.0.1')
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (connected) return
    await wait(50)
  }
  throw new Error(`slapd does not listen on port ${port}`)
}
