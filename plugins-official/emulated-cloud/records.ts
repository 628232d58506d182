import type { Clock, PluginHost, Storage, StorageChange } from '@fogbow/plugin-sdk'
import { type AddressPools, createAddressPools } from './addresses.ts'
import type { Amounts } from './config.ts'

export type InstanceKind = keyof Details

/** What is known of an instance beyond its life, by kind. */
export interface Details {
  compute: {
    flavorId: string
    vCPU: number
    ram: number
    disk: number
    imageId: string
    /** Last power action; until `doneAt` it is under way. */
    power?: { action: string; to: string; doneAt: number }
  }
  volume: { size: number }
  network: { cidr: string; gateway: string; allocationMode: 'dynamic' | 'static'; vlan: number }
  attachment: { computeId: string; volumeId: string; device: string }
  publicIp: { computeId: string }
}

/** One instance as it is stored under `instance/<kind>/<orderId>`. Its state follows from its times. */
export interface InstanceRecord<K extends InstanceKind = InstanceKind> {
  kind: K
  orderId: string
  instanceId: string
  name: string
  /** ms since the epoch, like all times here */
  createdAt: number
  readyAt: number
  /** When it is gone; absent unless deletion was asked for. */
  goneAt?: number
  /** It becomes FAILED instead of READY, for this reason. */
  fault?: string
  /** Instances that it needs to exist. */
  uses: string[]
  /** What it takes of the quota. */
  occupies: Partial<Amounts>
  addresses: { pool: string; ip: string }[]
  details: Details[K]
}

/** A security rule, stored under `rule/<parent instance id>/<id>`. */
export interface RuleRecord {
  id: string
  parentId: string
  protocol: 'TCP' | 'UDP' | 'ICMP' | 'ANY'
  etherType: 'IPv4' | 'IPv6'
  direction: 'IN' | 'OUT'
  portFrom: number
  portTo: number
  cidr: string
}

/** An image made from a compute, stored under `image/<id>`. */
export interface SnapshotRecord {
  id: string
  name: string
  computeId: string
  /** GiB. */
  minDisk: number
  /** MiB. */
  minRam: number
  readyAt: number
}

/**
 * Everything that exists in the cloud. It is held in memory, read once at the start, and stored before anybody is
 * answered: what a promise of this interface resolved for survives the end of the process.
 */
export interface Records {
  readonly used: Readonly<Amounts>
  readonly pools: Pick<AddressPools, 'findFree'>
  readonly snapshots: ReadonlyMap<string, SnapshotRecord>
  ofOrder<K extends InstanceKind>(kind: K, orderId: string): InstanceRecord<K> | undefined
  ofInstance<K extends InstanceKind>(kind: K, instanceId: string): InstanceRecord<K> | undefined
  /** Instances of a kind that need the given one. */
  usersOf<K extends InstanceKind>(kind: K, instanceId: string): InstanceRecord<K>[]
  rulesOf(parentId: string): ReadonlyMap<string, RuleRecord>
  /** Resolves when what is known of the record is stored. */
  stored(record: InstanceRecord): Promise<void>
  /** Counts at once, for everybody who asks later; undone when it cannot be stored. */
  add(record: InstanceRecord): Promise<void>
  change<K extends InstanceKind>(record: InstanceRecord<K>, details: Details[K]): Promise<void>
  /** Removes instances, and their rules, at a time that may be now. */
  remove(records: readonly InstanceRecord[], goneAt: number): Promise<void>
  addRule(rule: RuleRecord): Promise<void>
  removeRule(rule: RuleRecord): Promise<void>
  addSnapshot(snapshot: SnapshotRecord): Promise<void>
}

const keyOf = (kind: string, orderId: string) => `instance/${kind}/${orderId}`
const ruleKey = ({ parentId, id }: RuleRecord) => `rule/${parentId}/${id}`
const snapshotKey = ({ id }: SnapshotRecord) => `image/${id}`

export async function openRecords({ storage, clock }: PluginHost<unknown>): Promise<Records> {
  const index = createIndex()
  const snapshots = new Map<string, SnapshotRecord>()
  const rules = new Map<string, Map<string, RuleRecord>>()
  const writing = new Map<InstanceRecord, Promise<void>>()
  const write = createWriter(storage, clock, index, writing)

  for await (const record of read<InstanceRecord>(storage, 'instance/')) index.add(record)
  for await (const rule of read<RuleRecord>(storage, 'rule/'))
    groupOf(rule.parentId).set(rule.id, rule)
  for await (const image of read<SnapshotRecord>(storage, 'image/')) snapshots.set(image.id, image)

  function groupOf(parentId: string): Map<string, RuleRecord> {
    const group = rules.get(parentId) ?? new Map<string, RuleRecord>()
    rules.set(parentId, group)
    return group
  }

  return {
    get used() {
      write.forgetGone()
      return index.used
    },
    pools: index.pools,
    snapshots,
    ofOrder: (kind, orderId) => {
      write.forgetGone()
      return index.byKey.get(keyOf(kind, orderId)) as InstanceRecord<typeof kind> | undefined
    },
    ofInstance(kind, instanceId) {
      write.forgetGone()
      const record = index.byInstance.get(instanceId)
      return record?.kind === kind ? (record as InstanceRecord<typeof kind>) : undefined
    },
    usersOf(kind, instanceId) {
      write.forgetGone()
      const users = [...(index.users.get(instanceId) ?? [])]
      return users.filter((user) => user.kind === kind) as InstanceRecord<typeof kind>[]
    },
    rulesOf: (parentId) => rules.get(parentId) ?? new Map(),
    stored: (record) => writing.get(record) ?? Promise.resolve(),

    async add(record) {
      index.add(record)
      await write.changing([record], [], () => index.forget(record))
    },

    async change(record, details) {
      const before = record.details
      record.details = details
      await write.changing([record], [], () => {
        record.details = before
      })
    },

    async remove(records, goneAt) {
      for (const record of records) record.goneAt = goneAt
      const removed = records.flatMap(({ instanceId }) => [
        ...(rules.get(instanceId)?.values() ?? []),
      ])
      const changes = removed.map((rule) => ({ key: ruleKey(rule) }))
      await write.changing(records, changes, () => {
        for (const record of records) delete record.goneAt
      })
      for (const { instanceId } of records) rules.delete(instanceId)
    },

    async addRule(rule) {
      await storage.set(ruleKey(rule), rule)
      groupOf(rule.parentId).set(rule.id, rule)
    },

    async removeRule(rule) {
      await storage.delete(ruleKey(rule))
      groupOf(rule.parentId).delete(rule.id)
    },

    async addSnapshot(snapshot) {
      await storage.set(snapshotKey(snapshot), snapshot)
      snapshots.set(snapshot.id, snapshot)
    },
  }
}

type Index = ReturnType<typeof createIndex>

/** The records in memory, and what follows from them. */
function createIndex() {
  const byKey = new Map<string, InstanceRecord>()
  const byInstance = new Map<string, InstanceRecord>()
  const users = new Map<string, Set<InstanceRecord>>()
  const leaving = new Set<InstanceRecord>()
  const pools = createAddressPools()
  const used: Amounts = {
    instances: 0,
    vCPU: 0,
    ram: 0,
    storage: 0,
    volumes: 0,
    networks: 0,
    publicIps: 0,
  }
  const count = ({ occupies }: InstanceRecord, sign: 1 | -1) => {
    for (const [amount, value] of Object.entries(occupies))
      used[amount as keyof Amounts] += sign * value
  }
  return {
    byKey,
    byInstance,
    users,
    leaving,
    pools,
    used,
    add(record: InstanceRecord) {
      byKey.set(keyOf(record.kind, record.orderId), record)
      byInstance.set(record.instanceId, record)
      for (const id of record.uses) users.set(id, (users.get(id) ?? new Set()).add(record))
      for (const { pool, ip } of record.addresses) pools.take(pool, ip)
      if (record.goneAt !== undefined) leaving.add(record)
      count(record, 1)
    },
    forget(record: InstanceRecord) {
      byKey.delete(keyOf(record.kind, record.orderId))
      byInstance.delete(record.instanceId)
      for (const id of record.uses) {
        users.get(id)?.delete(record)
        if (users.get(id)?.size === 0) users.delete(id)
      }
      for (const { pool, ip } of record.addresses) pools.release(pool, ip)
      leaving.delete(record)
      count(record, -1)
    },
  }
}

/** Stores records, and on the way deletes from the storage what has gone by itself meanwhile. */
function createWriter(
  storage: Storage,
  clock: Clock,
  index: Index,
  writing: Map<InstanceRecord, Promise<void>>,
) {
  const stale = new Set<string>()

  function forgetGone(): void {
    const now = clock.now()
    for (const record of index.leaving) {
      if (writing.has(record) || (record.goneAt ?? now) > now) continue
      index.forget(record)
      stale.add(keyOf(record.kind, record.orderId))
    }
  }

  function toChange(record: InstanceRecord): StorageChange {
    const key = keyOf(record.kind, record.orderId)
    stale.delete(key)
    const isGone = record.goneAt !== undefined && record.goneAt <= clock.now()
    return isGone ? { key } : { key, value: record }
  }

  async function changing(
    records: readonly InstanceRecord[],
    more: readonly StorageChange[],
    undo: () => void,
  ): Promise<void> {
    forgetGone()
    const own = records.map(toChange)
    const changes = [...own, ...more, ...[...stale].map((key) => ({ key }))]
    stale.clear()
    const written = storage.write(changes)
    for (const record of records) writing.set(record, written)
    try {
      await written
    } catch (error) {
      undo()
      throw error
    } finally {
      for (const record of records) if (writing.get(record) === written) writing.delete(record)
    }
    records.forEach((record, position) => {
      if (own[position]?.value === undefined) index.forget(record)
      else if (record.goneAt !== undefined) index.leaving.add(record)
    })
  }

  return { forgetGone, changing }
}

const PAGE = 500

async function* read<Value>(storage: Storage, prefix: string): AsyncGenerator<Value> {
  for (let after = ''; ; ) {
    const page = await storage.list(prefix, { after, limit: PAGE })
    for (const { value } of page) yield value as Value
    const last = page.at(-1)
    if (!last) return
    after = last.key
  }
}
