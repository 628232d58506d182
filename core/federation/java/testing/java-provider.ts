import {
  childText,
  type Element,
  element,
  type ServedIq,
  type XmppComponent,
} from '../../xmpp/index.ts'
import {
  classOfType,
  type JavaObject,
  orderClass,
  parseObject,
  readJavaOrder,
  readWord,
  writeJava,
} from './java-classes.ts'
import { JavaFault } from './java-fault.ts'

export interface JavaProvider {
  readonly orders: Map<string, JavaObject>
  /** The cloud accepted the order, and its instance is ready. */
  fulfil(orderId: string): void
  /** The cloud has deleted the instance; the requester is told at each cycle until it acknowledges. @returns those still open */
  checkDeletions(): Promise<number>
}

const RESPONSES = 'cloud.fogbow.ras.api.http.response'
const LIST = 'java.util.LinkedList'

/** The provider's part of the original service, its strictness and its defects included. */
export function createJavaProvider(id: string, component: XmppComponent): JavaProvider {
  const orders = new Map<string, JavaObject>()
  const rules = new Map<string, JavaObject>()

  function orderOf({ payload, from }: ServedIq): JavaObject {
    const order = orders.get(text(payload, 'orderId'))
    if (!order) throw new JavaFault('item-not-found', 'Instance not found')
    if (order.requester !== senderOf(from))
      throw new JavaFault('internal-server-error', 'Requester does not match')
    return order
  }

  /** @param at - the only element in which the original looks */
  function authorize(order: JavaObject, at: Element, type?: string): void {
    const user = parseObject(childText(at, 'systemUser'))
    const owner = order.systemUser as JavaObject
    if (user.id !== owner.id || user.identityProviderId !== owner.identityProviderId)
      throw new JavaFault('forbidden', 'Unauthorized')
    if (type !== undefined && type !== order.type) throw new JavaFault('forbidden', 'Unauthorized')
  }

  const serve = (type: 'get' | 'set', name: string, answer: (iq: ServedIq) => Element[]) =>
    component.serve(type, name, async (iq) => {
      const parts = answer(iq)
      return parts.length === 0 ? [] : [element('query', { xmlns: name }, parts)]
    })

  serve('set', 'remoteCreateOrder', ({ payload, from }) => {
    const order = readJavaOrder(childText(payload, 'order'), childText(payload, 'orderClassName'))
    if (order.provider !== id) throw new JavaFault('internal-server-error', 'Wrong provider')
    if (order.requester !== senderOf(from)) throw new JavaFault('bad-request', 'Wrong requester')
    if (orders.has(String(order.id)))
      throw new JavaFault('internal-server-error', 'Request already exists')
    orders.set(String(order.id), { ...order, orderState: 'OPEN' })
    return []
  })

  serve('set', 'remoteDeleteOrder', (iq) => {
    const order = orderOf(iq)
    authorize(order, iq.iq, readWord(childText(iq.payload, 'instanceType')) ?? '')
    if (['ASSIGNED_FOR_DELETION', 'CHECKING_DELETION'].includes(String(order.orderState)))
      throw new JavaFault('not-acceptable', 'Delete operation already ongoing')
    order.orderState = 'ASSIGNED_FOR_DELETION'
    return []
  })

  serve('get', 'remoteGetOrder', (iq) => {
    const order = orderOf(iq)
    return [part('order', writeJava(order)), part('orderClassName', orderClass(order.type))]
  })

  serve('get', 'remoteGetInstance', (iq) => {
    const order = orderOf(iq)
    authorize(order, iq.iq, readWord(childText(iq.payload, 'instanceType')) ?? '')
    return [
      part('instance', writeJava(instanceOf(order))),
      part(
        'instanceClassName',
        `${RESPONSES}.${classOfType[String(order.type)]?.replace('Order', 'Instance')}`,
      ),
    ]
  })

  serve('set', 'remoteCreateSecurityRule', (iq) => {
    const order = orderOf(iq)
    authorize(order, iq.payload)
    const ruleId = `rule-${rules.size + 1}`
    rules.set(ruleId, {
      ...parseObject(childText(iq.payload, 'securityRule')),
      id: ruleId,
      order: order.id,
    })
    return []
  })

  serve('get', 'remoteGetAllSecurityRules', (iq) => {
    const order = orderOf(iq)
    authorize(order, iq.payload)
    const list = [...rules.values()]
      .filter((rule) => rule.order === order.id)
      .map(({ order: _, ...rule }) => rule)
    // Numbers as this service has them after a look at lists without type.
    const json = writeJava(list).replace(/("port\w+":\d+)/g, '$1.0')
    return [part('securityRuleList', json), part('imagesMapClassName', LIST)]
  })

  serve('set', 'remoteDeleteSecurityRule', ({ payload }) => {
    readWord(childText(payload, 'cloudName'))
    parseObject(childText(payload, 'systemUser'))
    if (!rules.delete(text(payload, 'ruleId'))) throw new JavaFault('item-not-found', 'No rule')
    return []
  })

  serve('get', 'remoteGetUserQuota', ({ payload }) => {
    readWord(childText(payload, 'cloudName'))
    const amounts = {
      instances: 4,
      vCPU: 8,
      ram: 1024,
      storage: 9,
      networks: 1,
      publicIps: 1,
      volumes: 2,
    }
    const quota = { totalQuota: amounts, usedQuota: amounts, availableQuota: amounts }
    return [
      part('userQuota', writeJava(quota)),
      part('userQuotaClassName', `${RESPONSES}.quotas.ResourceQuota`),
    ]
  })

  serve('get', 'remoteGetAllImages', ({ payload }) => {
    readWord(childText(payload, 'cloudName'))
    return [
      part('imageSummaryList', '[{"id":"img-7","name":"debian-12"}]'),
      part('imageSummaryListClassName', LIST),
    ]
  })

  serve('get', 'remoteGetImage', ({ payload }) => {
    const image = { name: 'debian-12', size: 7, minDisk: 3, minRam: 512, status: 'active' }
    return [
      part('image', writeJava({ ...image, id: text(payload, 'imageId') })),
      part('imageClassName', `${RESPONSES}.ImageInstance`),
    ]
  })

  serve('get', 'remoteGetCloudNames', ({ payload }) => {
    parseObject(childText(payload, 'systemUser'))
    return [part('cloudNamesList', '["c1","c2"]'), part('cloudNamesListClassName', LIST)]
  })

  return {
    orders,
    fulfil(orderId) {
      const order = orders.get(orderId)
      if (!order) throw new Error(`no order ${orderId}`)
      Object.assign(order, { orderState: 'FULFILLED', instanceId: `i-${orderId}` })
      if (order.type === 'COMPUTE')
        order.actualAllocation = { instances: 1, vCPU: 4, ram: 4096, disk: 40 }
    },
    async checkDeletions() {
      for (const order of orders.values()) {
        const deleting = ['ASSIGNED_FOR_DELETION', 'CHECKING_DELETION']
        if (!deleting.includes(String(order.orderState))) continue
        order.orderState = 'CHECKING_DELETION'
        const query = element('query', { xmlns: 'remoteNotifyEvent' }, [
          part('orderId', String(order.id)),
        ])
        const options = { timeoutMs: 5000, id: String(order.id) }
        await component.request(`ras-${order.requester}`, 'set', [query], options).then(
          () => orders.delete(String(order.id)),
          () => {},
        )
      }
      return orders.size
    },
  }
}

/** Reading before the cloud accepted a compute needs its allocation. */
function instanceOf(order: JavaObject): JavaObject {
  const isReady = order.orderState === 'FULFILLED'
  const shared = {
    state: isReady ? 'READY' : 'CREATING',
    ...(order.instanceId !== null && { cloudState: 'active' }),
    isReady,
    hasFailed: false,
    faultMessage: '',
    id: order.id,
    provider: order.provider,
    cloudName: order.cloudName,
  }
  if (order.type !== 'COMPUTE') return { name: order.name, size: order.volumeSize, ...shared }
  const allocation = order.actualAllocation as JavaObject | null
  if (!allocation) throw new JavaFault('undefined-condition', 'NullPointerException')
  const { vCPU, ram, disk } = allocation
  return { name: order.name, vCPU, ram, disk, ipAddresses: ['10.0.0.14'], networks: [], ...shared }
}

/** The first occurrence of the prefix is taken away, wherever it is. */
function senderOf(from: string): string {
  return from.replace('ras-', '')
}

function text(payload: Element, name: string): string {
  const found = childText(payload, name)
  if (found === undefined) throw new JavaFault('internal-server-error', 'null')
  return found
}

function part(name: string, content: string): Element {
  return element(name, {}, [content])
}
