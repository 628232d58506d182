import type { FederationUser } from '@fogbow/plugin-sdk'
import {
  FogbowError,
  type LocalToken,
  orderedKind,
  type PluginOrder,
  type RequestedInstance,
} from '@fogbow/plugin-sdk'
import type { AaaPipeline } from '../aaa/index.ts'
import type { SiteConfig } from '../config/index.ts'
import type { CloudConnector, Order, ReportedInstance } from '../orders/index.ts'
import type { PluginHost, PluginSlot } from '../plugins/index.ts'

/** The clouds of this site, reached through their plugins. */
export interface LocalClouds extends CloudConnector {
  names(): string[]
  has(cloudName: string): boolean
  /** The plugin that serves a kind in a cloud. @throws not_found for an unknown cloud */
  plugin(cloudName: string, kind: string): PluginSlot
  /** True as well while the plugin does not run, since nobody can tell then. */
  offers(cloudName: string, kind: string, method: string): boolean
  /** Why a cloud takes no new orders of a kind; undefined when it does. */
  closedForNew(cloudName: string, kind: string): string | undefined
  /** Makes an image of an instance. Not retried: its outcome is told to whoever asked. */
  takeSnapshot(order: Order, name: string): Promise<void>
  /** Calls a method with the user's credential for that cloud as last argument. */
  call(
    user: FederationUser,
    cloudName: string,
    kind: string,
    method: string,
    args: readonly unknown[],
    signal?: AbortSignal,
  ): Promise<unknown>
}

export function createLocalClouds(parts: {
  config: () => SiteConfig
  plugins: PluginHost
  aaa: AaaPipeline
  /** The cloud's own id of the instance behind an order. */
  instanceIdOf(orderId: string): Promise<string | undefined>
}): LocalClouds {
  const { plugins, aaa } = parts

  function plugin(cloudName: string, kind: string): PluginSlot {
    const clouds = parts.config().clouds
    const cloud = Object.hasOwn(clouds, cloudName) ? clouds[cloudName] : undefined
    if (!cloud)
      throw new FogbowError(
        'not_found',
        `There is no cloud '${cloudName}' at this site; clouds are ${Object.keys(clouds).join(', ')}`,
      )
    return plugins.get(cloud.kinds[kind] ?? cloud.plugin)
  }

  async function call(
    user: FederationUser,
    cloudName: string,
    kind: string,
    method: string,
    args: readonly unknown[],
    signal?: AbortSignal,
  ): Promise<unknown> {
    const target = plugin(cloudName, kind)
    const ready = target.health().state === 'ready'
    if (ready && !target.offered.has(`${kind}.${method}`)) {
      throw new FogbowError('not_implemented', `Cloud '${cloudName}' cannot do ${kind}.${method}`)
    }
    const invoke = (token: LocalToken) =>
      target.call(`${kind}.${method}`, [...args, token], { signal })
    try {
      return await invoke(await aaa.localToken(user, cloudName))
    } catch (error) {
      if (!(error instanceof FogbowError) || error.code !== 'unauthenticated') throw error
      // The credential may have been revoked or changed in the cloud since it was mapped: map once more.
      aaa.forgetLocalToken(user, cloudName)
      return invoke(await aaa.localToken(user, cloudName)).catch((again) => {
        throw notTheUsersFault(again, cloudName)
      })
    }
  }

  async function onOrder(order: Order, method: string, ...more: unknown[]): Promise<unknown> {
    return call(order.owner, cloudOf(order), order.kind, method, [
      await toPluginOrder(order),
      ...more,
    ])
  }

  /** A cloud that left the configuration is out of reach, not gone: its orders wait for it. */
  function cloudOf(order: Order): string {
    if (Object.hasOwn(parts.config().clouds, order.cloudName)) return order.cloudName
    throw new FogbowError(
      'unavailable_provider',
      `Cloud '${order.cloudName}' is not configured at this site any more`,
    )
  }

  async function toPluginOrder(order: Order): Promise<PluginOrder<unknown>> {
    const references = orderedKind(order.kind)?.references ?? {}
    const request: Record<string, unknown> = { ...order.request }
    for (const field of Object.keys(references)) {
      if (request[field] !== undefined) request[field] = await toInstanceIds(request[field])
    }
    return {
      orderId: order.id,
      ...(order.instanceId !== null && { instanceId: order.instanceId }),
      name: order.name,
      request,
      owner: { id: order.owner.id, identityProviderId: order.owner.identityProviderId },
    }
  }

  async function toInstanceIds(value: unknown): Promise<unknown> {
    if (Array.isArray(value)) return Promise.all(value.map(toInstanceIds))
    // An order that was never requested has no instance; the plugin then meets the order id and finds nothing under it.
    return (await parts.instanceIdOf(String(value))) ?? value
  }

  return {
    names: () => Object.keys(parts.config().clouds),
    has: (cloudName) => Object.hasOwn(parts.config().clouds, cloudName),
    plugin,
    offers(cloudName, kind, method) {
      const target = plugin(cloudName, kind)
      return target.health().state !== 'ready' || target.offered.has(`${kind}.${method}`)
    },
    closedForNew: (cloudName, kind) => plugin(cloudName, kind).closedForNew,
    call,
    requestInstance: async (order) =>
      (await onOrder(order, 'requestInstance')) as RequestedInstance,
    getInstance: async (order) => (await onOrder(order, 'getInstance')) as ReportedInstance,
    async deleteInstance(order) {
      await onOrder(order, 'deleteInstance')
    },
    async act(order, method) {
      await onOrder(order, method)
    },
    async takeSnapshot(order, name) {
      await onOrder(order, 'takeSnapshot', name)
    },
  }
}

/** It is the credential of the mapping that the cloud refuses: the user's own log-in is fine and must not end. */
function notTheUsersFault(error: unknown, cloudName: string): unknown {
  if (!(error instanceof FogbowError) || error.code !== 'unauthenticated') return error
  return new FogbowError(
    'unavailable_provider',
    `Cloud '${cloudName}' refuses the account that you are mapped to: ${error.message}; an administrator has to renew its credential`,
    { cause: error },
  )
}
