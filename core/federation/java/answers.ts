import { type FederationUser, FogbowError, orderedKind, readLeniently } from '@fogbow/plugin-sdk'
import type { MemberId } from '../contract.ts'
import type { DialectParts } from '../dialect.ts'
import { asRecord } from './fields.ts'
import { createTurns } from './in-turn.ts'
import { type KnownInstance, referencesOf, writeInstance } from './instance.ts'
import { toJson } from './json.ts'
import { createKnownRules } from './known-rules.ts'
import type { Values } from './layout.ts'
import type { JavaMethodName } from './methods.ts'
import { readOrder, type WireOrder, writeOrder } from './order.ts'
import { isJavaBeingDeleted } from './states.ts'
import { readUser, type StatedUser } from './user.ts'

/** One request of a member, as it was read. */
export interface Visit {
  readonly member: MemberId
  readonly values: Values
  readonly user: StatedUser | undefined
  /** Asks this site, after all checks; on behalf of the user of the visit unless another one is given. @throws FogbowError */
  ask(method: string, params: Values, on?: AskedFor): Promise<unknown>
}

export interface AskedFor {
  /** `undefined`: on behalf of nobody. */
  readonly user?: StatedUser | undefined
  readonly id?: string
}

/** An order as this site knows it. */
interface KnownOrder extends KnownInstance {
  readonly instanceId: string | null
  readonly owner: FederationUser
}

type Answer = (visit: Visit) => Promise<Values>

const NOTHING: Values = {}

/** What this site does and answers for each method of the original protocol, in terms of our own methods. */
export function createAnswers({
  siteId,
  clock,
}: Pick<DialectParts, 'siteId' | 'clock'>): Readonly<Record<JavaMethodName, Answer>> {
  const rules = createKnownRules()
  const inTurn = createTurns()

  async function known(visit: Visit, orderId: unknown): Promise<KnownOrder> {
    const order = await visit.ask('readOrder', { orderId }, { user: undefined })
    const unknown = { instance: null, instanceId: null, allocation: null, faultMessage: null }
    return { ...unknown, ...(order as KnownOrder), provider: siteId }
  }

  const knownIfAny = (visit: Visit, orderId: unknown) =>
    known(visit, orderId).catch(nothingIfNotFound)

  /** The same order again is no mistake: its sender did not hear the first answer. */
  async function create(visit: Visit, order: WireOrder, owner: StatedUser): Promise<Values> {
    const { orderId, kind, cloudName, request } = order
    const name = order.name ?? `fogbow-${orderId}`
    const there = await knownIfAny(visit, orderId)
    if (there) {
      const cloud = cloudName ?? there.cloudName
      const again = { ...order, name, cloudName: cloud }
      if (isSame(toWire(there, visit.member), there.owner, again, owner)) return NOTHING
      throw new FogbowError('unacceptable_operation', `there is another order ${orderId}`)
    }
    const params = { orderId, kind, name, request, ...(cloudName && { cloudName }) }
    await visit.ask('createOrder', params, { user: owner, id: `createOrder/${orderId}` })
    return NOTHING
  }

  async function createOrder(visit: Visit): Promise<Values> {
    const { member, values } = visit
    const order = readOrder(values.order, String(values.kind))
    const owner = readUser(asRecord(values.order, 'order').systemUser, 'order.systemUser')
    if (order.requester !== member)
      throw new FogbowError(
        'invalid_parameter',
        `order.requester: is ${order.requester}, but ${member} asks`,
      )
    if (order.provider !== siteId)
      throw new FogbowError('invalid_parameter', `order.provider: must be ${siteId}`)
    return inTurn(`${member} ${order.orderId}`, () => create(visit, order, owner))
  }

  async function deleteOrder(visit: Visit): Promise<Values> {
    const { kind, orderId } = visit.values
    try {
      await visit.ask('deleteOrder', { kind, orderId })
    } catch (error) {
      if (!hasCode(error, 'unacceptable_operation')) throw error
      if (!isJavaBeingDeleted((await known(visit, orderId)).state)) throw error
    }
    return NOTHING
  }

  async function closeOrder(visit: Visit): Promise<Values> {
    const { orderId } = visit.values
    const change = { orderId, generation: clock.now(), state: 'CLOSED' }
    await visit.ask('orderChanged', change).catch(nothingIfNotFound)
    return NOTHING
  }

  /**
   * Asked every few seconds for each order, for its state, its fault and what it occupies. The user data is left out: with it
   * the answer could be larger than a stanza may be.
   */
  async function followOrder(visit: Visit): Promise<Values> {
    const { request, ...order } = await known(visit, visit.values.orderId)
    const { userData: _, ...short } = request
    const wire = toWire({ ...order, request: short }, visit.member)
    return { kind: order.kind, order: writeOrder(wire, order.owner) }
  }

  async function getInstance(visit: Visit): Promise<Values> {
    const { kind, orderId } = visit.values
    const seen = (await visit.ask('getInstance', { kind, orderId })) as KnownInstance
    const order = await known(visit, orderId)
    const references = await Promise.all(
      referencesOf(order.kind, order.request).map((id) => knownIfAny(visit, id)),
    )
    const names = new Map<string, string>()
    for (const found of references) if (found) names.set(found.orderId, found.name)
    return { kind: order.kind, instance: writeInstance({ ...order, ...seen }, names) }
  }

  async function onRules(visit: Visit, method: string, params: Values) {
    const { orderId } = visit.values
    const { kind } = await known(visit, orderId)
    return { kind, answer: await visit.ask(method, { kind, orderId, ...params }) }
  }

  async function createSecurityRule(visit: Visit): Promise<Values> {
    const { member, values } = visit
    const { kind, answer } = await onRules(visit, 'createSecurityRule', { rule: values.value })
    const { id } = answer as { id: string | null }
    if (id) rules.remember(member, id, { kind, orderId: String(values.orderId) })
    return { ruleId: id }
  }

  async function listSecurityRules(visit: Visit): Promise<Values> {
    const { member, values } = visit
    const { kind, answer } = await onRules(visit, 'listSecurityRules', {})
    const list = answer as { id: string }[]
    for (const { id } of list) rules.remember(member, id, { kind, orderId: String(values.orderId) })
    return { value: list }
  }

  async function deleteSecurityRule(visit: Visit): Promise<Values> {
    const { ruleId, cloudName } = visit.values
    for (const { kind, orderId } of rules.placesOf(visit.member, String(ruleId))) {
      const order = await knownIfAny(visit, orderId)
      if (order?.cloudName !== cloudName) continue
      await visit.ask('deleteSecurityRule', { kind, orderId, ruleId, cloudName })
      return NOTHING
    }
    throw new FogbowError(
      'instance_not_found',
      `no security rule '${ruleId}' is known in ${cloudName}; list the rules of its order first`,
    )
  }

  const query =
    (method: string, ...params: readonly string[]): Answer =>
    async (visit) => ({ value: await visit.ask(method, pick(visit.values, params)) })

  const act =
    (action: string): Answer =>
    async (visit) => {
      await visit.ask('actOnOrder', { ...pick(visit.values, ['kind', 'orderId']), action })
      return NOTHING
    }

  return {
    createOrder,
    deleteOrder,
    closeOrder,
    readOrder: followOrder,
    getInstance,
    createSecurityRule,
    listSecurityRules,
    deleteSecurityRule,
    getQuota: query('getQuota', 'cloudName'),
    listImages: query('listImages', 'cloudName'),
    getImage: query('getImage', 'cloudName', 'id'),
    listClouds: query('listClouds'),
    pause: act('pause'),
    hibernate: act('hibernate'),
    stop: act('stop'),
    resume: act('resume'),
    async takeSnapshot(visit) {
      const { orderId, name } = visit.values
      await visit.ask('takeSnapshot', { kind: 'compute', orderId, name })
      return NOTHING
    },
  }
}

function toWire(order: KnownOrder, requester: MemberId): WireOrder {
  const { provider, ...others } = order
  return { ...others, provider, requester }
}

/** Whether two orders ask for the same, for the same user. */
function isSame(a: WireOrder, ownerOfA: StatedUser, b: WireOrder, ownerOfB: StatedUser): boolean {
  return asked(a, ownerOfA) === asked(b, ownerOfB)
}

function asked(order: WireOrder, { id, identityProviderId }: StatedUser): string {
  const schema = orderedKind(order.kind)?.request
  const request = schema ? readLeniently(schema, order.request) : order.request
  const owner = {
    id: String(id),
    identityProviderId: String(identityProviderId),
    name: '',
    roles: [],
  }
  const { orderId, kind, requester, provider, cloudName, name } = order
  const bare = { orderId, kind, requester, provider, cloudName, name, state: 'OPEN' }
  return toJson(writeOrder({ ...bare, request: request as Values }, owner))
}

function pick(values: Values, names: readonly string[]): Values {
  return Object.fromEntries(names.map((name) => [name, values[name]]))
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof FogbowError && codes.includes(error.code)
}

function nothingIfNotFound(error: unknown): undefined {
  if (!hasCode(error, 'instance_not_found', 'not_found')) throw error
}
