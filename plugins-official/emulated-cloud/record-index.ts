import { type AddressPools, createAddressPools } from './addresses.ts'
import type { Amounts } from './config.ts'
import { type InstanceRecord, keyOf } from './record.ts'

/** The records in memory, and what follows from them. */
export interface RecordIndex {
  readonly byKey: ReadonlyMap<string, InstanceRecord>
  readonly byInstance: ReadonlyMap<string, InstanceRecord>
  /** Instance id → instances that need it. */
  readonly users: ReadonlyMap<string, ReadonlySet<InstanceRecord>>
  /** Those that have a time at which they go. */
  readonly leaving: Set<InstanceRecord>
  readonly pools: AddressPools
  readonly used: Readonly<Amounts>
  add(record: InstanceRecord): void
  forget(record: InstanceRecord): void
}

export function createRecordIndex(): RecordIndex {
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
      byKey.set(keyOf(record), record)
      byInstance.set(record.instanceId, record)
      for (const id of record.uses) users.set(id, (users.get(id) ?? new Set()).add(record))
      for (const { pool, ip } of record.addresses) pools.take(pool, ip)
      if (record.goneAt !== undefined) leaving.add(record)
      count(record, 1)
    },
    forget(record: InstanceRecord) {
      byKey.delete(keyOf(record))
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
