import { type FederationUser, FogbowError } from '@fogbow/plugin-sdk'
import type { MemberId } from '../contract.ts'
import type { DialectCallSettings, DialectParts } from '../dialect.ts'
import { XmppError } from '../xmpp/index.ts'
import { createAsk, readable } from './ask.ts'
import { createDoubts } from './doubts.ts'
import { isAnswer } from './errors.ts'
import { readInstance } from './instance.ts'
import type { Values } from './layout.ts'
import { type JavaMethodName, type LaterMethod, laterActions } from './methods.ts'
import { readOrder, type WireOrder, writeOrder } from './order.ts'
import { isJavaBeingDeleted } from './states.ts'

type Params = Readonly<Record<string, unknown>>

/** What is asked of a member. */
export interface Errand {
  readonly member: MemberId
  readonly params: Params
  readonly settings: DialectCallSettings
}

/** An order as the member told of it, and when it was asked, in ms since the epoch. */
interface ToldOrder {
  readonly order: WireOrder
  readonly askedAt: number
}

type Errands = Readonly<Record<string, (errand: Errand) => Promise<unknown>>>

/**
 * Our remote methods in terms of the original protocol. That one has no generations: the time of the asking, in ms since
 * the epoch, takes their place, so that an answer that was overtaken is not believed.
 */
export function createErrands(parts: DialectParts): Errands {
  const { siteId, clock, written } = parts
  const ask = createAsk(parts)
  const doubts = createDoubts(clock)

  const send = (errand: Errand, name: JavaMethodName, values: Values) =>
    ask(errand.member, name, { user: errand.settings.user, ...values }, errand.settings)

  async function told(errand: Errand): Promise<ToldOrder> {
    const { member, params } = errand
    const askedAt = clock.now()
    const { order: json, kind } = await send(errand, 'readOrder', { orderId: params.orderId })
    const order = readable(member, () => readOrder(json, String(kind)))
    if (order.orderId !== params.orderId || (params.kind && params.kind !== order.kind))
      throw new FogbowError(
        'unavailable_provider',
        `${member} told of ${order.kind} ${order.orderId} when asked for ${params.kind ?? 'order'} ${params.orderId}`,
      )
    return { order, askedAt }
  }

  async function firstCloud(errand: Errand): Promise<string> {
    const { value } = await send(errand, 'listClouds', {})
    const [cloud] = value as string[]
    if (cloud !== undefined) return cloud
    throw new FogbowError('not_found', `${errand.member} offers no cloud`)
  }

  async function createOrder(errand: Errand): Promise<unknown> {
    const { member, params, settings } = errand
    const { orderId, kind, name, request } = params as unknown as WireOrder
    const cloudName = (params.cloudName as string | undefined) ?? (await firstCloud(errand))
    const order = writeOrder(
      {
        orderId,
        kind,
        name,
        request,
        cloudName,
        state: 'SELECTED',
        requester: siteId,
        provider: member,
      },
      settings.user as FederationUser,
    )
    const askedAt = clock.now()
    try {
      await send(errand, 'createOrder', { order, kind })
    } catch (error) {
      return isInDoubt(error) ? confirm(errand, error) : Promise.reject(error)
    }
    doubts.settle(member, orderId)
    return { orderId, generation: askedAt, state: 'OPEN', cloudName }
  }

  /** The member may have accepted the order although it did not say so. */
  async function confirm(errand: Errand, failure: unknown): Promise<unknown> {
    const { member, params } = errand
    const orderId = String(params.orderId)
    try {
      const found = await told(errand)
      doubts.settle(member, orderId)
      return toRemoteOrder(found)
    } catch (error) {
      const isRefused = isAnswer(failure) && !doubts.has(member, orderId)
      if (isRefused && isAnswer(error) && error.condition === 'item-not-found')
        throw new FogbowError(
          'unacceptable_operation',
          `${member} did not take the order: ${failure.text || failure.condition}`,
          { cause: failure },
        )
      if (!isAnswer(failure)) doubts.raise(member, orderId)
      throw failure
    }
  }

  async function deleteOrder(errand: Errand): Promise<void> {
    const { kind, orderId } = errand.params
    try {
      await send(errand, 'deleteOrder', { kind, orderId })
    } catch (error) {
      if (!isAnswer(error) || error.condition !== 'not-acceptable') throw error
      const { order } = await told(errand)
      if (!isJavaBeingDeleted(order.state)) throw error
    }
  }

  async function getInstance(errand: Errand): Promise<unknown> {
    const { member, params } = errand
    const { kind, orderId } = params
    const [{ instance: json }, found] = await Promise.all([
      send(errand, 'getInstance', { kind, orderId }),
      told(errand),
    ])
    const { order, askedAt } = found
    const instance = readable(member, () => readInstance(json, order.kind, order.request))
    return { ...toRemoteOrder(found), instance, observedAt: askedAt }
  }

  async function createSecurityRule(errand: Errand): Promise<{ id: string | null }> {
    const { orderId, rule } = errand.params
    const alike = () => idsOf(errand, rule as Params).catch(() => [])
    try {
      const { ruleId } = await send(errand, 'createSecurityRule', { orderId, value: rule })
      return { id: ruleId ? String(ruleId) : theOnly(await alike()) }
    } catch (error) {
      const ids = isInDoubt(error) ? await alike() : []
      if (ids.length === 0) throw error
      return { id: theOnly(ids) }
    }
  }

  /** The original service does not tell the id of a new rule; it is in the list. */
  async function idsOf(errand: Errand, rule: Params): Promise<string[]> {
    const { value } = await send(errand, 'listSecurityRules', { orderId: errand.params.orderId })
    const list = value as ({ id: string } & Params)[]
    const isIt = (other: Params) => Object.keys(rule).every((name) => other[name] === rule[name])
    return list.filter(isIt).map(({ id }) => id)
  }

  async function deleteSecurityRule(errand: Errand): Promise<void> {
    const { ruleId, cloudName = (await told(errand)).order.cloudName } = errand.params
    await send(errand, 'deleteSecurityRule', { ruleId, cloudName })
  }

  async function later(errand: Errand, name: LaterMethod): Promise<void> {
    const { member, params } = errand
    if (!written(member)?.laterMethods?.includes(name)) throw notThere(member, name)
    await send(errand, name, params)
  }

  async function actOnOrder(errand: Errand): Promise<void> {
    const { action } = errand.params
    const known = laterActions.find((name) => name === action)
    if (!known) throw notThere(errand.member, String(action))
    await later(errand, known)
  }

  /** Nothing but the end of an order is told there: it asks. One that does not know the order has heard of its end. */
  async function orderChanged(errand: Errand): Promise<void> {
    const { state, orderId } = errand.params
    if (state !== 'CLOSED') return
    try {
      await send(errand, 'closeOrder', { orderId })
    } catch (error) {
      if (!isAnswer(error) || error.condition !== 'item-not-found') throw error
    }
  }

  const query = (name: JavaMethodName) => async (errand: Errand) =>
    (await send(errand, name, errand.params)).value

  return {
    createOrder,
    deleteOrder,
    getOrder: async (errand) => toRemoteOrder(await told(errand)),
    getInstance,
    createSecurityRule,
    deleteSecurityRule,
    listSecurityRules: query('listSecurityRules'),
    listClouds: query('listClouds'),
    listImages: query('listImages'),
    getImage: query('getImage'),
    getQuota: query('getQuota'),
    actOnOrder,
    takeSnapshot: (errand) => later(errand, 'takeSnapshot'),
    orderChanged,
  }
}

/** Whether something that failed so may have happened, or may happen yet. */
function isInDoubt(failure: unknown): boolean {
  if (!(failure instanceof XmppError) || !failure.sent) return false
  if (!isAnswer(failure)) return true
  return ['internal-server-error', 'undefined-condition'].includes(failure.condition)
}

function theOnly(ids: readonly string[]): string | null {
  return ids.length === 1 ? (ids[0] ?? null) : null
}

export function notThere(member: MemberId, method: string): FogbowError {
  return new FogbowError(
    'not_implemented',
    `${member} runs the original service, which does not offer ${method} to other sites`,
  )
}

function toRemoteOrder({ order, askedAt }: ToldOrder) {
  const { orderId, state, faultMessage = null, instanceId = null, allocation = null } = order
  const { cloudName } = order
  const where = cloudName === undefined ? {} : { cloudName }
  return { orderId, generation: askedAt, state, ...where, faultMessage, instanceId, allocation }
}
