import type { PluginDefinition } from '@fogbow/plugin-sdk'
import {
  createFakeHost,
  type FakeHost,
  type PluginCaller,
  startInProcess,
} from '@fogbow/plugin-sdk/testing'
import plugin from '../../plugins-official/openstack/index.ts'
import type { OpenStack } from './openstack/openstack.ts'
import { accountsSecret, pluginConfig } from './openstack/settings.ts'
import { eventually } from './site.ts'

/** The plugin in this process, in front of a real cloud: with settings of a test, and time that it moves on. */
export interface RunningPlugin {
  readonly caller: PluginCaller
  readonly clock: FakeHost['clock']
  /** Tokens that Keystone gave it, the last one at the end. */
  readonly tokens: readonly string[]
}

export interface PluginOrder {
  orderId: string
  name: string
  request: Record<string, unknown>
  owner: { id: string; identityProviderId: string }
  instanceId?: string
}

export async function startPlugin(
  cloud: OpenStack,
  config: Record<string, unknown> = {},
  accounts = accountsSecret(cloud),
): Promise<RunningPlugin> {
  const tokens: string[] = []
  const host = createFakeHost({
    config: { ...pluginConfig(cloud), ...config },
    secrets: { accounts },
    now: Date.now(),
    async fetch(input, init) {
      const answer = await fetch(input, init)
      const token = answer.headers.get('x-subject-token')
      if (token !== null) tokens.push(token)
      return answer
    },
  })
  const caller = await startInProcess(
    plugin as unknown as PluginDefinition<Record<string, unknown>>,
    host as FakeHost<Record<string, unknown>>,
  )
  return { caller, clock: host.clock, tokens }
}

export function newOrder(request: Record<string, unknown>): PluginOrder {
  const orderId = crypto.randomUUID()
  const owner = { id: 'ana', identityProviderId: 'site-a.test' }
  return { orderId, name: `order ${orderId}`, request, owner }
}

/** Orders of one account, made through one plugin. */
export function ordersOf({ caller }: RunningPlugin, account = 'demo') {
  const call = (method: string, order: PluginOrder) => caller.call(method, [order, { account }])
  return {
    call,
    async make(kind: string, request: Record<string, unknown>): Promise<PluginOrder> {
      const order = newOrder(request)
      const made = await call(`${kind}.requestInstance`, order)
      const { instanceId } = made as { instanceId: string }
      const withId = { ...order, instanceId }
      await eventually(`${kind} being READY`, async () => {
        const view = (await call(`${kind}.getInstance`, withId)) as { state: string }
        if (view.state === 'READY') return { answer: true }
        if (view.state === 'FAILED') throw new Error(`${kind} failed: ${JSON.stringify(view)}`)
        return { problem: JSON.stringify(view) }
      })
      return withId
    },
    async remove(kind: string, order: PluginOrder): Promise<void> {
      await call(`${kind}.deleteInstance`, order)
      await eventually(`the end of ${kind}`, async () => {
        try {
          return { problem: JSON.stringify(await call(`${kind}.getInstance`, order)) }
        } catch (error) {
          if ((error as { code?: string }).code === 'instance_not_found') return { answer: true }
          throw error
        }
      })
    },
  }
}
