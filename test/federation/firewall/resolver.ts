import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createServerFolder, dyingWithParent } from '../servers/server-process.ts'
import type { Machine } from './machine.ts'

export interface Resolver {
  stop(): Promise<void>
}

/**
 * Unbound, which answers with what sites published and with nothing else.
 * @param records - lines of zone files
 */
export async function startResolver(
  machine: Machine,
  address: string,
  records: readonly string[],
): Promise<Resolver> {
  machine.run(['sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start'])
  const folder = createServerFolder('unbound', (made) =>
    writeFileSync(join(made, 'unbound.conf'), configuration(made, address, records)),
  )
  const [command = '', ...args] = [...machine.through, ...dyingWithParent('unbound')]
  const child = spawn(command, [...args, 'unbound', '-d', '-c', join(folder, 'unbound.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  for await (const text of child.stderr) {
    said += text
    if (/start of service/.test(said)) break
  }
  if (child.exitCode !== null) throw new Error(`unbound does not start:\n${said}`)
  return {
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function configuration(folder: string, address: string, records: readonly string[]): string {
  return `server:
  interface: ${address}
  access-control: 0.0.0.0/0 allow
  directory: "${folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  module-config: "iterator"
  local-zone: "." static
${records.map((record) => `  local-data: "${record}"`).join('\n')}
remote-control:
  control-enable: no
`
}
