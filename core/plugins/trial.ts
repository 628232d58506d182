import { hash } from 'node:crypto'
import { asFogbowError, type ErrorCode } from '@fogbow/plugin-sdk'
import type { LivePlugin } from './live-plugin.ts'

/** Which of the new orders go to the version that is tried out. */
export type TrialShare =
  /** 0 to 1 */
  | { share: number }
  /** Those of one project of the cloud, as the user's credential for it names it. */
  | { project: string }
  /** Those of one user, `id@identityProviderId`. */
  | { user: string }

export interface TrialCounts {
  calls: number
  /** Answers that a plugin which works does not give. */
  failures: number
}

/** Two versions beside each other, and how each fares. */
export interface Trial {
  readonly plugin: LivePlugin
  readonly of: TrialShare
  readonly counts: Readonly<Record<Side, TrialCounts>>
  /** Whether a call is for the version that is tried out: new orders by their share, all else by where its order went. */
  takes(method: string, args: readonly unknown[]): boolean
  note(side: Side, error: unknown): void
}

export type Side = 'present' | 'tried'

/** What says something about the plugin, and not about what it was asked for or about its cloud. */
const failures: ReadonlySet<ErrorCode> = new Set(['plugin_failure', 'timeout', 'internal_error'])

export function createTrial(plugin: LivePlugin, of: TrialShare): Trial {
  const counts = { present: { calls: 0, failures: 0 }, tried: { calls: 0, failures: 0 } }
  /** Orders that were new during the trial, and whether they went to the version that is tried out. */
  const orders = new Map<string, boolean>()

  return {
    plugin,
    of,
    counts,
    takes(method, args) {
      const id = orderIdOf(args)
      if (id === undefined) return false
      const known = orders.get(id)
      if (known !== undefined || !isNewOrder(method)) return known ?? false
      const isTried = isChosen(of, id, args)
      orders.set(id, isTried)
      return isTried
    },
    note(side, error) {
      const count = counts[side]
      count.calls++
      if (error !== undefined && failures.has(asFogbowError(error).code)) count.failures++
    },
  }
}

export function isNewOrder(method: string): boolean {
  return method.endsWith('.requestInstance')
}

function isChosen(of: TrialShare, orderId: string, args: readonly unknown[]): boolean {
  if ('share' in of) return shareOf(orderId) < of.share
  if ('user' in of) return of.user === userOf(args[0])
  return of.project === projectOf(args.at(-1))
}

/** Spreads ids evenly over 0 to 1; the same id is always at the same place. */
function shareOf(orderId: string): number {
  return Number.parseInt(hash('sha256', orderId).slice(0, 8), 16) / 2 ** 32
}

function orderIdOf([order]: readonly unknown[]): string | undefined {
  const id = fieldOf(order, 'orderId')
  return typeof id === 'string' ? id : undefined
}

function userOf(order: unknown): string {
  const owner = fieldOf(order, 'owner')
  return `${fieldOf(owner, 'id')}@${fieldOf(owner, 'identityProviderId')}`
}

/** Mappers name it as their cloud does. */
function projectOf(token: unknown): unknown {
  for (const name of ['project', 'projectId', 'tenant', 'tenantId', 'account']) {
    const value = fieldOf(token, name)
    if (value === undefined) continue
    return fieldOf(value, 'id') ?? fieldOf(value, 'name') ?? value
  }
  return undefined
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}
