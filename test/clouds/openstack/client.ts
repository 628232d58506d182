import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { dyingWithParent } from '../../federation/servers/server-process.ts'
import type { Inventory, logins } from './accounts.ts'
import type { Json } from './api.ts'
import { REGION } from './configuration.ts'
import type { Belongings } from './inventory.ts'
import type { OpenStack } from './openstack.ts'

/**
 * The command `openstack` of python3-openstackclient, as a user of a project runs it: a sight of the cloud that is not
 * ours. One process answers one command after the other, because its start takes longer than most of them.
 */
export interface OpenStackClient {
  /** @throws what it says instead of an answer */
  (...args: string[]): Promise<Json>
  close(): Promise<void>
}

const DOMAIN = 'Default'
const END = 'end of the answer'

export function openstackClient(
  cloud: OpenStack,
  as: keyof typeof logins = 'demo',
): OpenStackClient {
  const process = start(cloud, as)
  let output = ''
  let turn: Promise<unknown> = Promise.resolve()
  let hasEnded = false
  const ended = once(process, 'exit').then(() => {
    hasEnded = true
  })
  process.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })

  async function ask(command: string): Promise<Json> {
    output = ''
    process.stdin.write(`${command} -f json\nshell echo '${END}'\n`)
    while (!output.includes(END)) {
      if (hasEnded) throw new Error(`openstack ended: ${output}`)
      await Promise.race([once(process.stdout, 'data'), ended])
    }
    const text = output.slice(0, output.indexOf(END))
    // Warnings come before the answer.
    const start = text.search(/^[[{]/m)
    if (start === -1) throw new Error(`openstack ${command}: ${text}`)
    return JSON.parse(text.slice(start))
  }

  const client = (...args: string[]) => {
    const command = args.map(quoted).join(' ')
    const answer = turn.then(() => ask(command))
    turn = answer.catch(() => undefined)
    return answer
  }
  return Object.assign(client, {
    async close() {
      await turn
      process.stdin.end()
      await ended
    },
  })
}

function start(cloud: OpenStack, as: keyof typeof logins): ChildProcessWithoutNullStreams {
  const { username, password, project } = cloud.loginOf(as)
  // It keeps what it found out about its own commands there.
  const home = join(cloud.folder, 'client')
  mkdirSync(home, { recursive: true })
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: home,
    LC_ALL: 'C.UTF-8',
    PYTHONUNBUFFERED: '1',
    OS_AUTH_URL: cloud.authUrl,
    OS_USERNAME: username,
    OS_PASSWORD: password,
    OS_PROJECT_NAME: project,
    OS_USER_DOMAIN_NAME: DOMAIN,
    OS_PROJECT_DOMAIN_NAME: DOMAIN,
    OS_REGION_NAME: REGION,
    // The first one that lists servers by tag.
    OS_COMPUTE_API_VERSION: '2.26',
  }
  const [program = '', ...args] = [...dyingWithParent(), 'sh', '-c', 'exec openstack 2>&1']
  return spawn(program, args, { env })
}

/** The client reads its commands as a shell does. */
function quoted(arg: string): string {
  return /^[\w.:/-]+$/.test(arg) ? arg : `"${arg}"`
}

/** Everything that the project has, as the client lists it; without what was there from the start. */
export async function listAll(openstack: OpenStackClient, cloud: Inventory): Promise<Belongings> {
  const list = async (
    command: string,
    isNew: (entry: Json) => boolean = () => true,
    field = 'ID',
  ): Promise<string[]> =>
    (await openstack(...command.split(' '))).filter(isNew).map((entry: Json) => entry[field])
  const services = await list('catalog list', undefined, 'Type')
  const isOfRouter = (port: Json) => port['Device Owner'] === 'network:router_interface'
  return {
    servers: await list('server list --no-name-lookup'),
    volumes: services.includes('volumev3') ? await list('volume list') : [],
    networks: await list('network list --internal', ({ ID }) => ID !== cloud.privateNetwork),
    ports: await list('port list --long', (port) => !isOfRouter(port)),
    floatingips: await list('floating ip list'),
    security_groups: await list('security group list', ({ Name }) => Name !== 'default'),
    keypairs: await list('keypair list', undefined, 'Name'),
    images: await list('image list --private'),
  }
}
