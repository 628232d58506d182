import { FogbowError, type InstanceState } from '@fogbow/plugin-sdk'
import type { Cloud } from '../api/cloud.ts'
import type { Fields } from '../api/fields.ts'
import { segment } from '../parts.ts'
import { getServer, stateOf } from './servers.ts'

/** An action of Nova on a server, as it is posted. */
type Action = Readonly<Record<string, null>>

interface Power {
  /** Where it leads. */
  to: InstanceState
  /** Tasks with which Nova is on its way there. */
  task: RegExp
  /** What has to be asked for in each state in which it is possible. */
  from: Partial<Record<InstanceState, Action>>
}

export const powers = {
  pause: { to: 'PAUSED', task: /^pausing$/, from: { READY: { pause: null } } },
  hibernate: { to: 'HIBERNATED', task: /^suspending$/, from: { READY: { suspend: null } } },
  stop: {
    to: 'STOPPED',
    task: /^powering-off$/,
    from: { READY: { 'os-stop': null }, PAUSED: { 'os-stop': null } },
  },
  resume: {
    to: 'READY',
    task: /^(unpausing|resuming|powering-on)$/,
    from: {
      PAUSED: { unpause: null },
      HIBERNATED: { resume: null },
      STOPPED: { 'os-start': null },
    },
  },
} as const satisfies Record<string, Power>

/** Asks for nothing that is so already, or on its way. */
export async function changePower(
  cloud: Cloud,
  serverId: string,
  name: keyof typeof powers,
): Promise<void> {
  const power: Power = powers[name]
  const server = await getServer(cloud, serverId)
  const state = stateOf(server)
  if (state === power.to || isUnderWay(server, power)) return
  const action = isShelved(server) ? { unshelve: null } : power.from[state]
  if (!action || (isShelved(server) && name !== 'resume'))
    throw new FogbowError(
      'unacceptable_operation',
      `compute '${serverId}' is ${server.text('status')} in the cloud: it can ${name} only when ${Object.keys(power.from).join(' or ')}`,
    )
  await cloud.post('compute', `/servers/${segment(serverId)}/action`, action)
}

function isUnderWay(server: Fields, { task }: Power): boolean {
  return task.test(server.maybeText('OS-EXT-STS:task_state') ?? '')
}

function isShelved(server: Fields): boolean {
  return server.text('status').startsWith('SHELVED')
}
