import type { CallContext } from '../host.ts'
import type {
  InstanceOf,
  NestedKind,
  OrderedKind,
  RequestOf,
  ViewOf,
} from '../resources/define-resource.ts'
import { orderedKinds, resources } from '../resources/index.ts'
import { type Schema, schema } from '../schema/json-schema.ts'
import { type Contract, defineContract, type MethodContract } from './define-contract.ts'
import {
  type LocalToken,
  localToken,
  type PluginOrder,
  type RequestedInstance,
  requestedInstance,
} from './shapes.ts'

const token = { name: 'localToken', schema: localToken }
const id = (name: string) => ({
  name,
  schema: schema({ type: 'string', minLength: 1, maxLength: 1024 }),
})

function orderParam(kind: OrderedKind): { name: string; schema: Schema } {
  return {
    name: 'order',
    schema: {
      type: 'object',
      required: ['orderId', 'name', 'request', 'owner'],
      properties: {
        orderId: { type: 'string', minLength: 1, maxLength: 64 },
        instanceId: { type: 'string', minLength: 1, maxLength: 1024 },
        name: { type: 'string', maxLength: 255 },
        request: kind.request,
        owner: {
          type: 'object',
          required: ['id', 'identityProviderId'],
          properties: { id: { type: 'string' }, identityProviderId: { type: 'string' } },
        },
      },
    } as Schema,
  }
}

/** The contract of a plugin for an ordered kind, derived from the kind. */
function orderedContract(kind: OrderedKind): Contract {
  const order = orderParam(kind)
  const methods: Record<string, MethodContract> = {
    requestInstance: {
      params: [order, token],
      result: requestedInstance,
      timeoutMs: 120_000,
      description:
        'Asks the cloud for an instance and returns without waiting for it to be ready. Safe to repeat: the same order id gives the same instance, also when an earlier attempt stopped half-way.',
    },
    getInstance: {
      params: [order, token],
      result: kind.instance,
      timeoutMs: 30_000,
      description: 'Reports an instance. Throws `instance_not_found` once it is gone.',
    },
    deleteInstance: {
      params: [order, token],
      timeoutMs: 60_000,
      description:
        'Asks for deletion; may return before it is done. Of something gone it succeeds. Without `instanceId` it deletes whatever was made for the order id.',
    },
  }
  for (const action of kind.actions) {
    methods[action.method] = {
      params: [order, token],
      timeoutMs: 60_000,
      optional: true,
      description: `${action.title}. May return before it is done; repeating it does no harm.`,
    }
  }
  if (kind.hasSnapshot) {
    methods.takeSnapshot = {
      params: [
        order,
        { name: 'name', schema: schema({ type: 'string', minLength: 1, maxLength: 255 }) },
        token,
      ],
      timeoutMs: 120_000,
      optional: true,
      description: 'Makes an image of the instance under the given name.',
    }
  }
  return { kind: kind.name, version: 1, description: kind.description, methods }
}

function nestedContract(kind: NestedKind): Contract {
  const parent = {
    name: 'parentOrder',
    schema: schema({
      type: 'object',
      required: ['kind', 'orderId', 'instanceId'],
      properties: {
        kind: { type: 'string' },
        orderId: { type: 'string' },
        instanceId: { type: 'string' },
      },
    }),
  }
  return {
    kind: kind.name,
    version: 1,
    description: kind.description,
    methods: {
      requestSecurityRule: {
        params: [{ name: 'rule', schema: kind.request }, parent, token],
        result: schema({ type: 'string', minLength: 1, maxLength: 1024 }),
        timeoutMs: 60_000,
        description:
          'Adds a rule and answers its id. An equal rule that exists already is answered, not added twice.',
      },
      getSecurityRules: {
        params: [parent, token],
        result: { type: 'array', items: kind.view } as Schema,
        timeoutMs: 30_000,
        description: 'Lists the rules of that network or public IP, and of no other.',
      },
      deleteSecurityRule: {
        params: [id('ruleId'), parent, token],
        timeoutMs: 60_000,
        description: 'Removes a rule of that network or public IP. Of something gone it succeeds.',
      },
    },
  }
}

export const imageContract = defineContract({
  kind: 'image',
  version: 1,
  description: resources.image.description,
  methods: {
    getAllImages: {
      params: [token],
      result: { type: 'array', items: resources.image.summary } as Schema,
      timeoutMs: 30_000,
      description: 'Lists the images that the account may boot.',
    },
    getImage: {
      params: [id('imageId'), token],
      result: resources.image.view,
      timeoutMs: 30_000,
      description: 'Reports an image. Throws `instance_not_found` for an unknown one.',
    },
  },
})

export const specContract = defineContract({
  kind: 'spec',
  version: 1,
  description: resources.spec.description,
  methods: {
    getAllSpecs: {
      params: [token],
      result: { type: 'array', items: resources.spec.summary } as Schema,
      timeoutMs: 30_000,
      description: 'Lists the flavors that the account may use.',
    },
    getFlavor: {
      params: [id('specId'), token],
      result: resources.spec.view,
      timeoutMs: 30_000,
      description: 'Reports a flavor. Throws `instance_not_found` for an unknown one.',
    },
  },
})

export const quotaContract = defineContract({
  kind: 'quota',
  version: 1,
  description: resources.quota.description,
  methods: {
    getUserQuota: {
      params: [token],
      result: resources.quota.view,
      timeoutMs: 30_000,
      description: 'Reports limits and use of the account.',
    },
  },
})

/** Contracts of the kinds that a cloud consists of. */
export const cloudContracts: Readonly<Record<string, Contract>> = Object.fromEntries(
  [
    ...orderedKinds.map(orderedContract),
    nestedContract(resources.securityRule),
    imageContract,
    specContract,
    quotaContract,
  ].map((contract) => [contract.kind, contract]),
)

/** The network or public IP that a security rule belongs to. */
export interface ParentOrder {
  kind: string
  orderId: string
  instanceId: string
}

/**
 * A plugin for one ordered kind, as its author writes it.
 *
 * `requestInstance` throws `quota_exceeded`, `unacceptable_operation` (no flavor suits) or `invalid_parameter` when the
 * cloud refuses, which fails the order; and `unavailable_provider`, `timeout` or anything else when the outcome is
 * not known, which is retried with the same order id.
 */
export interface OrderedPlugin<K extends OrderedKind> {
  requestInstance(
    order: PluginOrder<RequestOf<K>>,
    token: LocalToken,
    call: CallContext,
  ): Promise<RequestedInstance>
  getInstance(
    order: PluginOrder<RequestOf<K>>,
    token: LocalToken,
    call: CallContext,
  ): Promise<InstanceOf<K>>
  deleteInstance(
    order: PluginOrder<RequestOf<K>>,
    token: LocalToken,
    call: CallContext,
  ): Promise<void>
}

type PowerMethod = 'pauseInstance' | 'hibernateInstance' | 'stopInstance' | 'resumeInstance'
type ComputeOrder = PluginOrder<RequestOf<typeof resources.compute>>

export type ComputePlugin = OrderedPlugin<typeof resources.compute> & {
  [Method in PowerMethod]?: (
    order: ComputeOrder,
    token: LocalToken,
    call: CallContext,
  ) => Promise<void>
} & {
  takeSnapshot?(
    order: ComputeOrder,
    name: string,
    token: LocalToken,
    call: CallContext,
  ): Promise<void>
}
export type VolumePlugin = OrderedPlugin<typeof resources.volume>
export type NetworkPlugin = OrderedPlugin<typeof resources.network>
export type AttachmentPlugin = OrderedPlugin<typeof resources.attachment>
export type PublicIpPlugin = OrderedPlugin<typeof resources.publicIp>

export interface SecurityRulePlugin {
  requestSecurityRule(
    rule: RequestOf<typeof resources.securityRule>,
    parent: ParentOrder,
    token: LocalToken,
    call: CallContext,
  ): Promise<string>
  getSecurityRules(
    parent: ParentOrder,
    token: LocalToken,
    call: CallContext,
  ): Promise<ViewOf<typeof resources.securityRule>[]>
  deleteSecurityRule(
    ruleId: string,
    parent: ParentOrder,
    token: LocalToken,
    call: CallContext,
  ): Promise<void>
}

export interface ImagePlugin {
  getAllImages(token: LocalToken, call: CallContext): Promise<{ id: string; name: string }[]>
  getImage(
    imageId: string,
    token: LocalToken,
    call: CallContext,
  ): Promise<ViewOf<typeof resources.image>>
}

export interface SpecPlugin {
  getAllSpecs(token: LocalToken, call: CallContext): Promise<{ id: string; name: string }[]>
  getFlavor(
    specId: string,
    token: LocalToken,
    call: CallContext,
  ): Promise<ViewOf<typeof resources.spec>>
}

export interface QuotaPlugin {
  getUserQuota(token: LocalToken, call: CallContext): Promise<ViewOf<typeof resources.quota>>
}
