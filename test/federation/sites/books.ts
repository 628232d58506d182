import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { FederatedSite } from './federated-site.ts'

/** What a site and its cloud hold: read from the store, between two lives of the site, which holds it alone. */
export interface Books {
  readonly siteId: string
  readonly orders: ReadonlyMap<string, BookedOrder>
  /** Instances that exist in the cloud, by order. */
  readonly instances: ReadonlyMap<string, string>
  /** Security rules that exist in the cloud: instance id of the parent and first port. */
  readonly rules: readonly { readonly parentId: string; readonly port: number }[]
  /** To whom, or of whom, each command is whose outcome is not known. */
  readonly openCommands: readonly string[]
}

export interface BookedOrder {
  readonly id: string
  readonly provider: string
  readonly requester: string
  readonly state: string
  readonly instanceId: string | null
  /** The provider never heard of it. */
  readonly wasNeverAsked: boolean
}

/** States in which nothing is under way and everything is known. */
export const settledStates: ReadonlySet<string> = new Set([
  'FULFILLED',
  'PAUSED',
  'FAILED_ON_REQUEST',
  'CLOSED',
])

export function readBooks(site: FederatedSite): Books {
  const file = join(site.setUp.dataDir, 'site.db')
  if (!existsSync(file)) throw new Error(`there is no store at ${file}`)
  const database = new DatabaseSync(file, { readOnly: true })
  const rows = (query: string) => database.prepare(query).all()
  try {
    const orders = rows(
      'SELECT id, provider, requester, state, instance_id, request_outcome FROM orders',
    ).map((row): [string, BookedOrder] => [
      String(row.id),
      {
        id: String(row.id),
        provider: String(row.provider),
        requester: String(row.requester),
        state: String(row.state),
        instanceId: row.instance_id as string | null,
        wasNeverAsked: row.request_outcome === 0,
      },
    ])
    const stored = (prefix: string) =>
      rows(`SELECT value FROM plugin_storage WHERE key LIKE '${prefix}/%'`).map(({ value }) =>
        JSON.parse(String(value)),
      )
    const now = Date.now()
    const instances = stored('instance').filter(({ goneAt = now + 1 }) => goneAt > now)
    const open = rows(`
      SELECT member FROM outbox WHERE ended_at IS NULL
      UNION ALL SELECT issuer FROM inbox WHERE done = 0`)
    return {
      siteId: site.id,
      orders: new Map(orders),
      instances: new Map(instances.map(({ orderId, instanceId }) => [orderId, instanceId])),
      rules: stored('rule').map(({ parentId, portFrom }) => ({ parentId, port: portFrom })),
      openCommands: open.map(({ member }) => String(member)),
    }
  } finally {
    database.close()
  }
}

/** In words, where the books of these sites and their clouds do not agree, or something between them is open. */
export function differences(all: readonly Books[]): string[] {
  return all.flatMap((books) => [
    ...unknownOutcomes(books, all),
    ...betweenSites(books, all),
    ...withCloud(books),
  ])
}

function unknownOutcomes({ siteId, orders, openCommands }: Books, all: readonly Books[]): string[] {
  const open = [...orders.values()].filter(({ state }) => !settledStates.has(state))
  const between = openCommands.filter((member) => all.some((other) => other.siteId === member))
  return [
    ...open.map(({ id, state }) => `${siteId}: order ${id} is ${state}`),
    ...between.map((member) => `${siteId}: the outcome of a command with ${member} is open`),
  ]
}

/** Both sides know of the same orders the same. */
function betweenSites({ siteId, orders }: Books, all: readonly Books[]): string[] {
  const of = (id: string) => all.find((books) => books.siteId === id)?.orders
  return [...orders.values()].flatMap((order) => {
    const { id, provider, requester, state, instanceId } = order
    const others = of(siteId === provider ? requester : provider)
    if (provider === requester || !others) return []
    const other = others.get(id)
    const where = `order ${id} of ${requester} at ${provider}`
    if (siteId === provider) return other ? [] : [`${where}: its requester does not know of it`]
    if (!other)
      return state === 'CLOSED' || order.wasNeverAsked
        ? []
        : [`${where} is ${state}, and not known there`]
    if (state !== other.state) return [`${where} is ${state} here and ${other.state} there`]
    const isSame = state === 'CLOSED' || instanceId === other.instanceId
    return isSame ? [] : [`${where} is instance ${instanceId} here, ${other.instanceId} there`]
  })
}

/** What the cloud holds is exactly what live orders own. */
function withCloud({ siteId, orders, instances }: Books): string[] {
  const problems: string[] = []
  for (const [id, instanceId] of instances) {
    const order = orders.get(id)
    if (!order || order.state === 'CLOSED')
      problems.push(`${siteId}: orphan, instance ${instanceId} of order ${id}`)
    else if (order.instanceId !== instanceId)
      problems.push(`${siteId}: order ${id} knows ${order.instanceId}, the cloud ${instanceId}`)
  }
  for (const { id, provider, state } of orders.values())
    if (provider === siteId && (state === 'FULFILLED' || state === 'PAUSED') && !instances.has(id))
      problems.push(`${siteId}: order ${id} is ${state} and has no instance in the cloud`)
  return problems
}
