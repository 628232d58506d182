import { randomInt } from 'node:crypto'
import {
  childNamed,
  childText,
  type Element,
  element,
  type XmppComponent,
  XmppError,
} from '../../xmpp/index.ts'
import {
  type JavaObject,
  orderClass,
  parseObject,
  readJavaOrder,
  writeJava,
} from './java-classes.ts'
import { JavaFault } from './java-fault.ts'

export interface JavaRequester {
  /** The requester's copies. */
  readonly orders: Map<string, JavaObject>
  /** @param order - the fields of its class; the rest is added */
  create(provider: string, type: string, order: JavaObject): Promise<JavaObject>
  /** One cycle over all remote orders. */
  synchronise(): Promise<void>
  remove(orderId: string): Promise<void>
  read(orderId: string): Promise<JavaObject>
  /** Arguments in the order in which they are sent, all in the query. @returns the query of the result */
  ask(
    provider: string,
    type: 'get' | 'set',
    method: string,
    args: Readonly<Record<string, string>>,
  ): Promise<Element | undefined>
  readonly user: JavaObject
}

const TIMEOUT_MS = 5_000

/** The requester's part of the original service. Its users' tokens travel with them. */
export function createJavaRequester(id: string, component: XmppComponent): JavaRequester {
  const orders = new Map<string, JavaObject>()
  const user = { identityProviderId: id, id: 'u9', name: 'rui', token: 'a token of the cloud' }
  const systemUser = () => element('systemUser', {}, [writeJava(user)])

  const query = (method: string, args: Readonly<Record<string, string>>) =>
    element(
      'query',
      { xmlns: method },
      Object.entries(args).map(([name, text]) => element(name, {}, [text])),
    )

  async function send(
    provider: unknown,
    type: 'get' | 'set',
    children: Element[],
    iqId = `412-${randomInt(1_000_000_000)}`,
  ): Promise<Element> {
    const options = { timeoutMs: TIMEOUT_MS, id: iqId }
    return component.request(`ras-${provider}`, type, children, options)
  }

  component.serve('set', 'remoteNotifyEvent', async ({ payload, from }) => {
    const order = orders.get(childText(payload, 'orderId') ?? '')
    if (!order) throw new JavaFault('item-not-found', 'Instance not found')
    if (order.provider !== from.replace('ras-', ''))
      throw new JavaFault('internal-server-error', 'Wrong provider')
    order.orderState = 'CLOSED'
    orders.delete(String(order.id))
    return []
  })

  async function synchroniseOne(order: JavaObject): Promise<void> {
    if (['FAILED_ON_REQUEST', 'ASSIGNED_FOR_DELETION'].includes(String(order.orderState))) return
    const args = { orderId: String(order.id) }
    const result = await send(order.provider, 'get', [query('remoteGetOrder', args)])
    const answered = childNamed(result, 'query')
    if (!answered) throw new Error('NullPointerException')
    const theirs = readJavaOrder(
      childText(answered, 'order'),
      childText(answered, 'orderClassName'),
    )
    order.orderState = theirs.orderState
    order.faultMessage ??= theirs.faultMessage
    if ('actualAllocation' in order) order.actualAllocation = theirs.actualAllocation
  }

  return {
    orders,
    user,
    async create(provider, type, fields) {
      const order: JavaObject = {
        ...fields,
        orderState: 'SELECTED',
        requester: id,
        provider,
        systemUser: user,
        userId: user.id,
        identityProviderId: id,
        type,
      }
      orders.set(String(order.id), order)
      const args = { order: writeJava(order), orderClassName: orderClass(type) }
      try {
        await send(provider, 'set', [query('remoteCreateOrder', args)], String(order.id))
        order.orderState = 'PENDING'
      } catch (error) {
        order.orderState = 'FAILED_ON_REQUEST'
        order.faultMessage = (error as XmppError).text
      }
      return order
    },
    async synchronise() {
      for (const order of [...orders.values()]) await synchroniseOne(order).catch(() => {})
    },
    async remove(orderId) {
      const order = orders.get(orderId) as JavaObject
      const about = { orderId, instanceType: String(order.type) }
      await send(
        order.provider,
        'set',
        [query('remoteDeleteOrder', about), systemUser()],
        orderId,
      ).catch(wrap)
    },
    async read(orderId) {
      const order = orders.get(orderId) as JavaObject
      const about = { orderId, instanceType: String(order.type) }
      const result = await send(order.provider, 'get', [
        systemUser(),
        query('remoteGetInstance', about),
      ]).catch(wrap)
      const answered = childNamed(result, 'query') as Element
      return parseObject(childText(answered, 'instance'))
    },
    async ask(provider, type, method, args) {
      const result = await send(provider, type, [query(method, args)])
      return childNamed(result, 'query')
    },
  }
}

/** Only what is not found keeps its kind. */
function wrap(error: unknown): never {
  if (error instanceof XmppError && error.condition === 'item-not-found') throw error
  throw new Error(`FogbowException: ${error instanceof XmppError ? error.text : error}`)
}
