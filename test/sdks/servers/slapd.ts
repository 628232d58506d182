import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Certificates } from './certificates.ts'
import { freePort } from './free-port.ts'

export interface Directory {
  /** Port of ldap://, with StartTLS, and of ldaps://. */
  port: number
  securePort: number
}

const entries = `dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: cn=Ada,dc=example,dc=org
objectClass: person
cn: Ada
sn: Lovelace

dn: cn=Jürgen,dc=example,dc=org
objectClass: person
cn: Jürgen
sn: X
`

/** OpenLDAP itself, on free ports of this machine, with a directory of its own; ends with the tests of the file. */
export async function startSlapd(certificates: Certificates): Promise<Directory> {
  const folder = join(certificates.folder, 'slapd')
  mkdirSync(join(folder, 'data'), { recursive: true })
  const configuration = join(folder, 'slapd.conf')
  writeFileSync(configuration, configurationText(folder, certificates))
  execFileSync('/usr/sbin/slapadd', ['-f', configuration], { input: entries, stdio: 'pipe' })
  const [port, securePort] = [await freePort(), await freePort()]
  const urls = `ldap://127.0.0.1:${port}/ ldaps://127.0.0.1:${securePort}/`
  const server = spawn('/usr/sbin/slapd', ['-d', '0', '-h', urls, '-f', configuration], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  after(async () => {
    server.kill('SIGKILL')
    await once(server, 'exit')
  })
  await untilListening(port)
  return { port, securePort }
}

function configurationText(
  folder: string,
  { authorityFile, certificateFile, keyFile }: Certificates,
) {
  return `include /etc/ldap/schema/core.schema
pidfile ${folder}/pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile ${authorityFile}
TLSCertificateFile ${certificateFile}
TLSCertificateKeyFile ${keyFile}
database mdb
suffix "dc=example,dc=org"
rootdn "cn=admin,dc=example,dc=org"
rootpw admin-secret
directory ${folder}/data
`
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
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
