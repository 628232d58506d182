import type { PluginOrder, RequestedInstance } from '../contracts/shapes.ts'
import { asFogbowError } from '../errors.ts'
import type { OrderedKind } from '../resources/define-resource.ts'
import { orderedKind } from '../resources/index.ts'
import type { ObjectSchema } from '../schema/json-schema.ts'
import { readLeniently } from '../schema/lenient.ts'
import type { Trial } from './trial.ts'

export type Fields = Record<string, unknown>
export type Order = PluginOrder<Fields>
export type Instance = Fields & { state: string; cloudState: string; faultMessage?: string }

/** Orders made by one case. Whatever they left in the cloud is deleted at the end, last one first. */
export interface Scope {
  /** A new order; instances that it needs are made, and are ready. */
  order(kind: OrderedKind, fields?: Fields): Promise<Order>
  /** Asks for the instance of an order, and answers the order with its instance id. */
  request(kind: OrderedKind, order: Order): Promise<Order>
  /** `order`, `request`, and waiting until it is ready. */
  ready(kind: OrderedKind, fields?: Fields): Promise<Order>
}

const owner = { id: 'conformance', identityProviderId: 'conformance' }

export async function inScope(trial: Trial, run: (scope: Scope) => Promise<void>): Promise<void> {
  const before = await usedAmounts(trial)
  const made: { kind: OrderedKind; order: Order }[] = []
  const scope: Scope = {
    async order(kind, fields = {}) {
      const request = { ...(await defaultRequest(trial, scope, kind, fields)), ...fields }
      const orderId = crypto.randomUUID()
      const order = { orderId, name: `fogbow-${orderId}`, request, owner }
      made.push({ kind, order })
      return order
    },
    async request(kind, order) {
      const { instanceId } = await requestInstance(trial, kind, order)
      return { ...order, instanceId }
    },
    async ready(kind, fields) {
      const order = await scope.request(kind, await scope.order(kind, fields))
      await untilReady(trial, kind, order)
      return order
    },
  }
  try {
    await run(scope)
  } finally {
    for (const { kind, order } of made.reverse()) await deleteQuietly(trial, kind, order)
    await givenBack(trial, before)
  }
}

/** What the account uses, by amount; nothing when the plugin does not tell. */
async function usedAmounts(trial: Trial): Promise<Fields> {
  if (!trial.offers('quota.getUserQuota')) return {}
  const quota = await trial.call<{ usedQuota: Fields }>('quota.getUserQuota', trial.localToken)
  return quota.usedQuota
}

const LONGEST_RETURN_MS = 30_000

/**
 * A cloud may count what is gone for a moment longer: the next case must not begin with a count that is about to fall.
 * That it never falls is found by the case that is there for it.
 */
async function givenBack(trial: Trial, before: Fields): Promise<void> {
  const isBack = async () => {
    const now = await usedAmounts(trial)
    return (
      Object.entries(before).every(([amount, was]) => Number(now[amount]) <= Number(was)) ||
      undefined
    )
  }
  await trial.eventually('the return of what was used', isBack, LONGEST_RETURN_MS).catch(() => {})
}

export function requestInstance(
  trial: Trial,
  kind: OrderedKind,
  order: Order,
): Promise<RequestedInstance> {
  return trial.call(`${kind.name}.requestInstance`, order, trial.localToken)
}

export function getInstance(trial: Trial, kind: OrderedKind, order: Order): Promise<Instance> {
  return trial.call(`${kind.name}.getInstance`, order, trial.localToken)
}

export function deleteInstance(trial: Trial, kind: OrderedKind, order: Order): Promise<unknown> {
  return trial.call(`${kind.name}.deleteInstance`, order, trial.localToken)
}

/** @throws when it fails instead */
export function untilReady(trial: Trial, kind: OrderedKind, order: Order): Promise<Instance> {
  return untilState(trial, kind, order, 'READY')
}

export function untilState(
  trial: Trial,
  kind: OrderedKind,
  order: Order,
  state: string,
): Promise<Instance> {
  let last = 'unknown'
  return trial.eventually(`${kind.name} ${order.instanceId} becoming ${state}`, async () => {
    const instance = await getInstance(trial, kind, order)
    last = instance.state
    if (last === 'FAILED' && state !== 'FAILED')
      throw new Error(`${kind.name} failed: ${instance.faultMessage ?? instance.cloudState}`)
    return last === state ? instance : undefined
  })
}

export async function untilGone(trial: Trial, kind: OrderedKind, order: Order): Promise<void> {
  await trial.eventually(`disappearance of ${kind.name} ${order.instanceId}`, async () =>
    (await isGone(trial, kind, order)) ? true : undefined,
  )
}

export async function isGone(trial: Trial, kind: OrderedKind, order: Order): Promise<boolean> {
  try {
    await getInstance(trial, kind, order)
    return false
  } catch (error) {
    if (asFogbowError(error).code === 'instance_not_found') return true
    throw error
  }
}

/** Why instances of a kind cannot be made here: it needs others, which the plugin does not offer and no sample names. */
export function obstacle(trial: Trial, kind: OrderedKind): string | undefined {
  const sample = trial.samples.requests?.[kind.name] ?? {}
  for (const [field, needed] of neededReferences(kind)) {
    if (sample[field] === undefined && !trial.offers(`${needed}.requestInstance`))
      return `samples.requests.${kind.name}.${field} is not given and the plugin offers no ${needed}`
  }
  if (kind.name === 'compute' && !trial.samples.imageId && !trial.offers('image.getAllImages'))
    return sample.imageId === undefined ? 'samples.imageId is not given' : undefined
  return undefined
}

function neededReferences(kind: OrderedKind): [field: string, kind: string][] {
  const required = (kind.request as ObjectSchema).required ?? []
  return Object.entries(kind.references).filter(([field]) => required.includes(field))
}

async function defaultRequest(
  trial: Trial,
  scope: Scope,
  kind: OrderedKind,
  fields: Fields,
): Promise<Fields> {
  const request = readLeniently(kind.request, smallest(kind)) as Fields
  Object.assign(request, trial.samples.requests?.[kind.name])
  if (kind.name === 'compute') request.imageId ??= await someImage(trial)
  for (const [field, name] of neededReferences(kind)) {
    const needed = orderedKind(name)
    if (needed && request[field] === undefined && fields[field] === undefined)
      request[field] = (await scope.ready(needed)).instanceId
  }
  return request
}

/** The smallest value of each required number. */
function smallest(kind: OrderedKind): Fields {
  const { properties, required = [] } = kind.request as ObjectSchema
  const numbers = required.flatMap((name) => {
    const property = properties[name] as { type?: string; minimum?: number } | undefined
    return property?.type === 'integer' ? [[name, property.minimum ?? 0]] : []
  })
  return Object.fromEntries(numbers)
}

async function someImage(trial: Trial): Promise<string> {
  if (trial.samples.imageId) return trial.samples.imageId
  const images = await trial.call<{ id: string }[]>('image.getAllImages', trial.localToken)
  const first = images[0]
  if (!first) throw new Error('the cloud lists no image to boot; name one as samples.imageId')
  return first.id
}

/**
 * Tidying up after a failed case must not hide why it failed. A cloud may refuse for a while, as long as something that
 * is being deleted still uses it.
 */
async function deleteQuietly(trial: Trial, kind: OrderedKind, order: Order): Promise<void> {
  const isAccepted = async () => {
    const outcome = deleteInstance(trial, kind, order)
    return outcome.then(
      () => true,
      () => undefined,
    )
  }
  try {
    await trial.eventually('deletion', isAccepted, LONGEST_RETURN_MS)
    await untilGone(trial, kind, order)
  } catch {
    // The next cases show it, if it matters to them.
  }
}
