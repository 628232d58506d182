import {
  type Clock,
  FogbowError,
  type InstanceState,
  type PluginOrder,
  type RequestedInstance,
} from '@fogbow/plugin-sdk'
import type { Amounts, CloudConfig } from './config.ts'
import type { Faults } from './faults.ts'
import type { Details, InstanceKind, InstanceRecord } from './record.ts'
import type { Records } from './records.ts'

/** What an instance will be, once its request was found to be possible. */
export interface Plan<K extends InstanceKind> {
  details: Details[K]
  occupies?: Partial<Amounts>
  uses?: string[]
  addresses?: (instanceId: string) => InstanceRecord['addresses']
}

/** The life that all kinds share: made once per order, ready after a while, gone a while after deletion. */
export interface Cloud {
  readonly config: CloudConfig
  readonly records: Records
  readonly clock: Clock
  /**
   * Makes the instance of an order, or answers the one that is there.
   * @param plan - called when there is none; throws when the request is not possible
   */
  make<K extends InstanceKind>(
    kind: K,
    order: PluginOrder<unknown>,
    plan: () => Plan<K>,
  ): Promise<InstanceRecord<K>>
  /** @throws instance_not_found */
  find<K extends InstanceKind>(kind: K, order: OrderRef): InstanceRecord<K>
  /** @throws instance_not_found when a request names something that is not there, or is being deleted */
  findForUse<K extends InstanceKind>(kind: K, instanceId: string): InstanceRecord<K>
  /**
   * Deletes the instance of an order; nothing happens when there is none.
   * @param alsoRemoved - what goes with it; throws when it cannot be deleted now
   */
  remove<K extends InstanceKind>(
    kind: K,
    order: OrderRef,
    alsoRemoved?: (record: InstanceRecord<K>) => InstanceRecord[],
  ): Promise<void>
  stateOf(record: InstanceRecord): InstanceState
}

interface OrderRef {
  orderId: string
  instanceId?: string
}

const titles: Record<InstanceKind, string> = {
  compute: 'compute',
  volume: 'volume',
  network: 'network',
  attachment: 'attachment',
  publicIp: 'public IP',
}

export function createCloud(
  config: CloudConfig,
  records: Records,
  clock: Clock,
  faults: Faults,
): Cloud {
  const locate = <K extends InstanceKind>(kind: K, { orderId, instanceId }: OrderRef) =>
    instanceId === undefined ? records.ofOrder(kind, orderId) : records.ofInstance(kind, instanceId)

  function toRecord<K extends InstanceKind>(
    kind: K,
    order: PluginOrder<unknown>,
    plan: Plan<K>,
  ): InstanceRecord<K> {
    const { details, occupies = {}, uses = [], addresses = () => [] } = plan
    const instanceId = `${kind.toLowerCase()}-${crypto.randomUUID()}`
    const createdAt = clock.now()
    const fault = faults.spoilsInstance(`${kind}.requestInstance`)
    return {
      kind,
      orderId: order.orderId,
      instanceId,
      name: order.name,
      createdAt,
      readyAt: createdAt + config.delaysMs.create,
      ...(fault && { fault: `the emulated cloud could not build this ${titles[kind]}` }),
      uses,
      occupies,
      addresses: addresses(instanceId),
      details,
    }
  }

  return {
    config,
    records,
    clock,

    async make(kind, order, plan) {
      const existing = records.ofOrder(kind, order.orderId)
      if (existing) {
        await records.stored(existing)
        if (existing.goneAt === undefined) return existing
        throw new FogbowError(
          'unacceptable_operation',
          `${titles[kind]} ${existing.instanceId} of order ${order.orderId} is being deleted`,
        )
      }
      const planned = plan()
      assertWithinQuota(planned.occupies ?? {}, records.used, config.quota)
      const record = toRecord(kind, order, planned)
      await records.add(record)
      return record
    },

    find(kind, order) {
      const record = locate(kind, order)
      if (record) return record
      throw notFound(kind, order.instanceId ?? `of order ${order.orderId}`)
    },

    findForUse(kind, instanceId) {
      const record = records.ofInstance(kind, instanceId)
      if (record && record.goneAt === undefined) return record
      throw notFound(kind, instanceId)
    },

    async remove(kind, order, alsoRemoved = () => []) {
      const found = locate(kind, order)
      if (!found) return
      await records.stored(found)
      const record = locate(kind, order)
      if (!record || record.goneAt !== undefined) return
      await records.remove([record, ...alsoRemoved(record)], clock.now() + config.delaysMs.delete)
    },

    stateOf: (record) => stateAt(record, clock.now()),
  }
}

function stateAt(record: InstanceRecord, now: number): InstanceState {
  if (record.goneAt !== undefined) return 'DELETING'
  if (now < record.readyAt) return 'CREATING'
  if (record.fault !== undefined) return 'FAILED'
  const power = 'power' in record.details ? record.details.power : undefined
  if (!power) return 'READY'
  return now < power.doneAt ? 'BUSY' : (power.to as InstanceState)
}

/** @param field - of the request, when it is the request that names it */
export function notFound(kind: InstanceKind, which: string): FogbowError {
  return new FogbowError(
    'instance_not_found',
    `${titles[kind]} ${which} does not exist in the emulated cloud`,
  )
}

function assertWithinQuota(wanted: Partial<Amounts>, used: Amounts, limits: Amounts): void {
  for (const [name, value] of Object.entries(wanted)) {
    const amount = name as keyof Amounts
    const limit = limits[amount]
    if (limit < 0 || used[amount] + value <= limit) continue
    throw new FogbowError(
      'quota_exceeded',
      `quota of ${name} exceeded: ${value} wanted, ${used[amount]} of ${limit} in use; delete something or ask for a larger quota`,
      { details: { field: name } },
    )
  }
}

/** The fields that every kind reports. */
export function baseView(cloud: Cloud, record: InstanceRecord, words: Record<string, string> = {}) {
  const state = cloud.stateOf(record)
  const faultMessage = state === 'FAILED' ? record.fault : undefined
  return {
    state,
    cloudState: words[state] ?? cloudWords[state] ?? state.toLowerCase(),
    name: record.name,
    ...(faultMessage !== undefined && { faultMessage }),
  }
}

const cloudWords: Record<string, string> = { CREATING: 'build', READY: 'active', FAILED: 'error' }

export function requested(
  { instanceId }: InstanceRecord,
  allocation?: Record<string, number>,
): RequestedInstance {
  return allocation ? { instanceId, allocation } : { instanceId }
}
