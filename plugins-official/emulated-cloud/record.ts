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

/** Where an instance is stored. */
export function keyOf({ kind, orderId }: { kind: string; orderId: string }): string {
  return `instance/${kind}/${orderId}`
}
