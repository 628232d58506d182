import { FogbowError } from '@fogbow/plugin-sdk'
import type { MemberOperations, Operations, RequestContext } from '../../operations/index.ts'
import type { Engine, OrderReport } from '../../orders/index.ts'
import type { RemoteCall } from '../contract.ts'

export interface AllocationParts {
  siteId(): string
  operations: Operations & MemberOperations
  engine: Pick<Engine, 'observe'>
}

interface Served extends AllocationParts {
  context: RequestContext
  params: Params
  member: string
}

/** Parameters of all methods; each has those that its schema requires. */
interface Params extends OrderReport {
  kind: string
  cloudName: string
  name: string
  request: Record<string, unknown>
  action: string
  number: number
  revoked: boolean
  reason: string | null
  expiresAt: number | null
  rule: unknown
  ruleId: string
  id: string
}

/**
 * What members may ask: one line each, from method to operation. Operations decide about a vouched user as about one of
 * this site, and leave the same record.
 */
const served: Readonly<Record<string, (asked: Served) => Promise<unknown>>> = {
  createOrder: ({ operations, context, params, siteId }) =>
    operations.provideOrder(context, params.kind, params.orderId, {
      ...params.request,
      name: params.name,
      provider: siteId(),
      ...(params.cloudName !== undefined && { cloudName: params.cloudName }),
    }),
  deleteOrder: ({ operations, context, params }) =>
    operations.deleteOrder(context, params.kind, params.orderId),
  actOnOrder: ({ operations, context, params }) =>
    operations.actOnOrder(context, params.kind, params.orderId, params.action),
  setDelegation: ({ operations, context, params: { kind, orderId, revoked, ...given } }) =>
    revoked
      ? operations.revokeDelegation(context, kind, orderId, given)
      : operations.grantDelegation(context, kind, orderId, given),
  takeSnapshot: ({ operations, context, params }) =>
    operations.takeSnapshot(context, params.kind, params.orderId, { name: params.name }),

  getOrder: ({ operations, context, params }) =>
    operations.reportOrder(context, params.kind, params.orderId, 'stored'),
  getInstance: ({ operations, context, params }) =>
    operations.reportOrder(context, params.kind, params.orderId, 'looked at'),
  readOrder: ({ operations, member, params }) => operations.readOrderOf(member, params.orderId),

  createSecurityRule: ({ operations, context, params }) =>
    operations.createSecurityRule(context, params.kind, params.orderId, params.rule),
  listSecurityRules: async ({ operations, context, params }) =>
    (await operations.listSecurityRules(context, params.kind, params.orderId)).map(unplaced),
  deleteSecurityRule: ({ operations, context, params }) =>
    operations.deleteSecurityRule(context, params.kind, params.orderId, params.ruleId),

  listClouds: async ({ operations, context }) => (await operations.listClouds(context)).clouds,
  listImages: ({ operations, context, params, siteId }) =>
    operations.listImages(context, siteId(), params.cloudName),
  getImage: async ({ operations, context, params, siteId }) =>
    unplaced(await operations.getImage(context, siteId(), params.cloudName, params.id)),
  listSpecs: ({ operations, context, params, siteId }) =>
    operations.listSpecs(context, siteId(), params.cloudName),
  getSpec: async ({ operations, context, params, siteId }) =>
    unplaced(await operations.getSpec(context, siteId(), params.cloudName, params.id)),
  getQuota: ({ operations, context, params, siteId }) =>
    operations.getQuota(context, siteId(), params.cloudName),

  orderChanged: ({ engine, member, params }) => engine.observe(member, params),
}

export interface AllocationServer {
  readonly methods: ReadonlySet<string>
  /** @throws FogbowError with the code that the operation had */
  answer(call: RemoteCall): Promise<unknown>
}

/** The edge through which other members come, as the REST edge is the one of users. */
export function createAllocationServer(parts: AllocationParts): AllocationServer {
  return {
    methods: new Set(Object.keys(served)),
    async answer(call) {
      const serve = served[call.method.name]
      if (!serve)
        throw new FogbowError('not_implemented', `${parts.siteId()} has no ${call.method.name}`)
      const params = call.params as unknown as Params
      const result = await serve({
        ...parts,
        params,
        member: call.member,
        context: toContext(call),
      })
      return call.method.result ? result : undefined
    },
  }
}

function toContext({ member, id, user, signal, method }: RemoteCall): RequestContext {
  return {
    requestId: id,
    requester: member,
    signal,
    ...(user && { vouched: user }),
    ...(method.effect === 'command' && { idempotencyKey: `${member}/${id}` }),
  }
}

/** Where it is goes without saying between two sites; null is said by leaving out. */
function unplaced({
  provider: _provider,
  cloudName: _cloudName,
  ...rest
}: Record<string, unknown>) {
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null))
}
