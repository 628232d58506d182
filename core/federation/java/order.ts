import { type FederationUser, invalid, orderedKind } from '@fogbow/plugin-sdk'
import { asRecord, readFields, same, writeFields } from './fields.ts'
import { text, words } from './forms.ts'
import { kindOf, mappingOf, typeOf } from './kinds.ts'
import { fromJavaState, toJavaState } from './states.ts'
import { writeUser } from './user.ts'

/** An order as it travels between the sites. */
export interface WireOrder {
  readonly orderId: string
  readonly kind: string
  readonly state: string
  readonly requester: string
  readonly provider: string
  /** The default one of the provider when absent. */
  readonly cloudName?: string | undefined
  readonly name?: string | undefined
  /** Without provider, cloud and name. */
  readonly request: Readonly<Record<string, unknown>>
  readonly instanceId?: string | null | undefined
  readonly faultMessage?: string | null | undefined
  readonly allocation?: Readonly<Record<string, number>> | null | undefined
}

/** A column there is not longer. */
const LONGEST_FAULT = 255
const requirements = [same('requirements', words)]

export function writeOrder(order: WireOrder, owner: FederationUser): Record<string, unknown> {
  const { request, name, allocation } = order
  return {
    ...writeFields(mappingOf(order.kind).order, { ...request, name, allocation }),
    id: order.orderId,
    orderState: toJavaState(order.state),
    requester: order.requester,
    provider: order.provider,
    cloudName: order.cloudName,
    instanceId: order.instanceId ?? undefined,
    ...writeFields(requirements, request),
    systemUser: writeUser(owner),
    userId: owner.id,
    identityProviderId: owner.identityProviderId,
    type: typeOf(order.kind),
    faultMessage: order.faultMessage?.slice(0, LONGEST_FAULT),
  }
}

const common = [
  same('requester', text),
  same('provider', text),
  same('cloudName', text),
  same('instanceId', text),
  same('faultMessage', text),
]

/** @param kind - as its class name says. @throws invalid_parameter */
export function readOrder(value: unknown, kind: string): WireOrder {
  const json = asRecord(value, 'order')
  if (json.type !== undefined && kindOf(json.type, 'order.type') !== kind)
    throw invalid('order.type', 'does not agree with the class of the order')
  const { name, allocation, ...request } = readFields(mappingOf(kind).order, json, 'order')
  const { requester, provider, ...rest } = readFields(common, json, 'order')
  if (orderedKind(kind)?.request.properties.requirements)
    Object.assign(request, readFields(requirements, json, 'order'))
  return {
    ...(rest as Pick<WireOrder, 'cloudName' | 'instanceId' | 'faultMessage'>),
    orderId: asOrderId(json.id, 'order.id'),
    kind,
    state: fromJavaState(json.orderState),
    requester: String(requester).toLowerCase(),
    provider: String(provider).toLowerCase(),
    name: name as string | undefined,
    request,
    allocation: occupied(allocation as Record<string, number> | undefined),
  }
}

/** @throws invalid_parameter */
export function asOrderId(value: unknown, at: string): string {
  if (typeof value === 'string' && value !== '' && value.length <= 64) return value
  throw invalid(at, 'must be an order id')
}

/** All zero until the cloud has accepted the order. */
function occupied(allocation: Record<string, number> | undefined) {
  const isKnown = allocation && Object.values(allocation).some((amount) => amount > 0)
  return isKnown ? allocation : null
}
