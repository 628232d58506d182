import { type OrderedKind, orderedKind } from '@fogbow/plugin-sdk'
import type { Consideration, Order } from '../orders/index.ts'
import { shownAs } from '../orders/index.ts'
import type { InstanceView, StatusEntry } from './operations.ts'

const noState = ''

export function toStatusEntry(order: Order): StatusEntry {
  return {
    instanceId: order.id,
    instanceName: order.name,
    provider: order.provider,
    cloudName: order.cloudName,
    state: shownAs[order.state],
  }
}

/** Name of each order that the shown one refers to, by id. */
export type ReferenceNames = ReadonlyMap<string, string>

/**
 * An instance as users see it: what the cloud reported last, under the state of its order, so that lists and details
 * agree. Every property of the kind is there, null or 0 when it is not known.
 */
export function toInstanceView(order: Order, names: ReferenceNames): InstanceView {
  const kind = orderedKind(order.kind)
  if (!kind) throw new Error(`order ${order.id} is of the unknown kind '${order.kind}'`)
  const view: InstanceView = {
    id: order.id,
    provider: order.provider,
    cloudName: order.cloudName,
    state: shownAs[order.state],
    cloudState: (order.instance?.cloudState as string | undefined) ?? null,
    ready: order.state === 'FULFILLED' && (order.instance?.state ?? noState) === 'READY',
    faultMessage: order.faultMessage ?? '',
  }
  addReported(view, kind, order)
  addOrdered(view, kind, order)
  addReferences(view, kind, order, names)
  if (order.considered) view.considered = order.considered.map(toConsideration)
  for (const [field, alias] of Object.entries(kind.shownAlso)) view[alias] = view[field]
  return view
}

/** A site that an order could have gone to, or goes to, and why it did not. */
function toConsideration({ provider, outcome, reason, at }: Consideration) {
  return { provider, outcome, reason: reason ?? null, at: new Date(at).toISOString() }
}

function addReported(view: InstanceView, kind: OrderedKind, order: Order): void {
  for (const [field, schema] of Object.entries(kind.instance.properties)) {
    if (field in view) continue
    const isNumber = (schema as { type?: string }).type === 'integer'
    view[field] = order.instance?.[field] ?? allocated(kind, order, field) ?? (isNumber ? 0 : null)
  }
  view.name = order.name
  if (kind.actions.length === 0) return
  view.paused = order.instance?.state === 'PAUSED'
  view.hibernated = order.instance?.state === 'HIBERNATED'
  view.stopped = order.instance?.state === 'STOPPED'
}

function allocated(kind: OrderedKind, order: Order, field: string): number | undefined {
  const name = Object.keys(kind.allocation).find(
    (allocation) => kind.allocation[allocation] === field,
  )
  return name === undefined ? undefined : order.allocation?.[name]
}

function addOrdered(view: InstanceView, kind: OrderedKind, order: Order): void {
  for (const field of kind.shownFromOrder) view[field] = order.request[field] ?? null
}

function addReferences(
  view: InstanceView,
  kind: OrderedKind,
  order: Order,
  names: ReferenceNames,
): void {
  for (const field of Object.keys(kind.references)) {
    const value = order.request[field]
    const shownIn = kind.shownReferences[field] ?? field
    if (Array.isArray(value)) {
      const reported = Array.isArray(view[shownIn]) ? view[shownIn] : []
      view[shownIn] = [...reported, ...value.map((id) => ({ id, name: names.get(id) ?? id }))]
    } else if (typeof value === 'string') {
      view[field] = value
      view[shownIn] = names.get(value) ?? null
    }
  }
}
