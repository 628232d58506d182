import { type OrderedKind, orderedKind } from '@fogbow/plugin-sdk'
import { validatorFor } from '@fogbow/plugin-sdk/validate'
import type { OrderReport } from './member-connector.ts'
import { mayGoAnywhere, type Order } from './order.ts'
import { isBeingDeleted, isChanging, isOrderState, type OrderState } from './states.ts'
import type { Facts } from './step.ts'

/** An order of this site, for the member that asked for it. */
export function toReport(order: Order): OrderReport {
  return {
    orderId: order.id,
    generation: order.version,
    state: order.state,
    cloudName: order.cloudName,
    faultMessage: order.faultMessage,
    instance: order.instance,
    instanceId: order.instanceId,
    allocation: order.allocation,
  }
}

/**
 * A generation is a number of changes; for members of the original service, which count none, it is the time at which
 * they were asked. No order changes as often as this.
 */
export const FIRST_TIME = 1e11

export function countsChanges(generation: number): boolean {
  return generation < FIRST_TIME
}

/** A later state is known already. */
export function isOutdated({ generation: known }: Order, { generation }: OrderReport): boolean {
  if (known === null || generation >= known) return false
  return countsChanges(generation) === countsChanges(known)
}

/**
 * What a report says that is true whatever state the order is in here. It is shown to users: only what has the form that
 * instances of that kind have is believed.
 * @param observedAt - when the provider looked at its cloud, if it did so for this report
 */
export function factsOf(order: Order, report: OrderReport, observedAt?: number): Facts {
  const kind = orderedKind(order.kind) as OrderedKind
  const { instance, allocation } = report
  return {
    requestOutcome: 'known',
    generation: report.generation,
    ...(observedAt !== undefined && { observedAt }),
    ...(report.cloudName !== undefined && { cloudName: report.cloudName }),
    ...(instance && !validatorFor(kind.instance)(instance) && { instance }),
    ...(report.instanceId && { instanceId: report.instanceId }),
    ...(allocation && { allocation: amountsOf(kind, allocation) }),
  }
}

function amountsOf(kind: OrderedKind, allocation: Readonly<Record<string, number>>) {
  const isAmount = ([name, amount]: [string, number]) =>
    Object.hasOwn(kind.allocation, name) && Number.isSafeInteger(amount) && amount >= 0
  return Object.fromEntries(Object.entries(allocation).filter(isAmount))
}

/**
 * Where the report of its provider puts an order, undefined when it stays.
 *
 * The provider is believed, with three exceptions: what the user asked for here and the provider was not told yet stays
 * as it is; a deletion goes on until the provider says that it is done; and what a provider is doing by itself is shown
 * once it is done.
 */
export function mirroredState(order: Order, reported: string): OrderState | undefined {
  const next = isOrderState(reported) ? follow(order, reported) : undefined
  return next === order.state ? undefined : next
}

function follow(order: Order, reported: OrderState): OrderState | undefined {
  if (reported === 'CLOSED') return 'CLOSED'
  if (isBeingDeleted(order.state) || order.state === 'FAILED_ON_REQUEST') return undefined
  const isNew = order.state === 'SELECTED' || order.state === 'PENDING'
  if (isNew && isBeforeCloud(reported)) return 'PENDING'
  if (isBeforeCloud(reported) || isUntold(order)) return undefined
  if (!isChanging(reported) && !isBeingDeleted(reported)) return reported
  return isNew ? 'SPAWNING' : undefined
}

/** The provider has not had an answer of its cloud yet. */
function isBeforeCloud(state: OrderState): boolean {
  return state === 'OPEN' || state === 'SELECTED' || state === 'PENDING'
}

/** Its site may still refuse an order that may then go to another. */
export function isUndecided(order: Order): boolean {
  return mayGoAnywhere(order) && (order.state === 'SELECTED' || order.state === 'PENDING')
}

/** That its provider does not want it: the next one may. */
export function refusesAnywhere(order: Order, { state }: OrderReport): boolean {
  if (!isUndecided(order) || !isOrderState(state)) return false
  return state === 'FAILED_ON_REQUEST' || isBeingDeleted(state)
}

/** A power action, or a deletion, was asked for here that the provider has not taken yet. */
export function isUntold({ state, attempts }: Order): boolean {
  return state === 'ASSIGNED_FOR_DELETION' || (isChanging(state) && attempts === 0)
}
