import type { PluginOrder } from '@fogbow/plugin-sdk'
import { createFakeHost, type FakeHost, startInProcess } from '@fogbow/plugin-sdk/testing'
import type { CloudSettings } from './config.ts'
import plugin from './index.ts'

type Fields = Record<string, unknown>

/** The plugin as its tests see it. */
export interface CloudUnderTest {
  host: FakeHost<CloudSettings>
  call<Answer = Fields>(method: string, ...args: unknown[]): Promise<Answer>
  /** Makes an instance and answers its order, with instance id. */
  make(kind: string, request: Fields): Promise<PluginOrder<Fields>>
  get(kind: string, order: PluginOrder<Fields>): Promise<Fields>
  delete(kind: string, order: PluginOrder<Fields>): Promise<unknown>
  used(): Promise<Record<string, number>>
  /** Keys of what is stored, without the kinds' random parts. */
  stored(prefix?: string): string[]
  restarted(): Promise<CloudUnderTest>
}

let orders = 0

export function newOrder(request: Fields): PluginOrder<Fields> {
  const orderId = `order-${++orders}`
  const owner = { id: 'ana', identityProviderId: 'site-a' }
  return { orderId, name: `name of ${orderId}`, request, owner }
}

export async function startCloud(
  config: CloudSettings = {},
  host: FakeHost<CloudSettings> = createFakeHost({ config }),
): Promise<CloudUnderTest> {
  const caller = await startInProcess(plugin, host)
  const cloud: CloudUnderTest = {
    host,
    call: async <Answer>(method: string, ...args: unknown[]) =>
      (await caller.call(method, args)) as Answer,
    async make(kind, request) {
      const order = newOrder(request)
      const { instanceId } = await cloud.call<{ instanceId: string }>(
        `${kind}.requestInstance`,
        order,
        {},
      )
      return { ...order, instanceId }
    },
    get: (kind, order) => cloud.call(`${kind}.getInstance`, order, {}),
    delete: (kind, order) => cloud.call(`${kind}.deleteInstance`, order, {}),
    async used() {
      const { usedQuota } = await cloud.call<{ usedQuota: Record<string, number> }>(
        'quota.getUserQuota',
        {},
      )
      return usedQuota
    },
    stored: (prefix = '') => [...host.entries.keys()].filter((key) => key.startsWith(prefix)),
    restarted: () => startCloud(config, host.restarted()),
  }
  return cloud
}
