import type { PluginHost, Storage } from '@fogbow/plugin-sdk'
import type { AddressPools } from './addresses.ts'
import type { Amounts } from './config.ts'
import {
  type Details,
  type InstanceKind,
  type InstanceRecord,
  keyOf,
  type RuleRecord,
  type SnapshotRecord,
} from './record.ts'
import { createRecordIndex } from './record-index.ts'
import { createRecordWriter } from './record-writer.ts'

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

const ruleKey = ({ parentId, id }: RuleRecord) => `rule/${parentId}/${id}`
const snapshotKey = ({ id }: SnapshotRecord) => `image/${id}`

export async function openRecords({ storage, clock }: PluginHost<unknown>): Promise<Records> {
  const index = createRecordIndex()
  const snapshots = new Map<string, SnapshotRecord>()
  const rules = new Map<string, Map<string, RuleRecord>>()
  const writer = createRecordWriter(storage, clock, index)

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
      writer.forgetGone()
      return index.used
    },
    pools: index.pools,
    snapshots,
    ofOrder: (kind, orderId) => {
      writer.forgetGone()
      return index.byKey.get(keyOf({ kind, orderId })) as InstanceRecord<typeof kind> | undefined
    },
    ofInstance(kind, instanceId) {
      writer.forgetGone()
      const record = index.byInstance.get(instanceId)
      return record?.kind === kind ? (record as InstanceRecord<typeof kind>) : undefined
    },
    usersOf(kind, instanceId) {
      writer.forgetGone()
      const users = [...(index.users.get(instanceId) ?? [])]
      return users.filter((user) => user.kind === kind) as InstanceRecord<typeof kind>[]
    },
    rulesOf: (parentId) => rules.get(parentId) ?? new Map(),
    stored: writer.stored,

    async add(record) {
      index.add(record)
      await writer.store([record], () => index.forget(record))
    },

    async change(record, details) {
      const before = record.details
      record.details = details
      await writer.store([record], () => {
        record.details = before
      })
    },

    async remove(records, goneAt) {
      for (const record of records) record.goneAt = goneAt
      const removed = records.flatMap(({ instanceId }) => [
        ...(rules.get(instanceId)?.values() ?? []),
      ])
      const changes = removed.map((rule) => ({ key: ruleKey(rule) }))
      const undo = () => {
        for (const record of records) delete record.goneAt
      }
      await writer.store(records, undo, changes)
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
