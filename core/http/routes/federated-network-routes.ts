import { FogbowError, invalid, resources } from '@fogbow/plugin-sdk'
import type { Operations } from '../../operations/index.ts'
import { type ApiSchema, type Call, param, type Route } from './route.ts'
import { createdId, errorView, listOf, object, requestView } from './views.ts'

const text = { type: 'string' } as const
const about = { tag: '/fns federatedNetworks', needsToken: true } as const
const path = '/fns/federatedNetworks'

const notBuilt =
  'Federated networks are not available at this site. Order a network of one provider with POST /fns/networks instead'

const type = 'FEDERATED_NETWORK'

function findNone(operation: string) {
  return (operations: Operations, call: Call) =>
    operations.answerTo(call.context, { operation, type }, () => {
      throw new FogbowError(
        'instance_not_found',
        `There is no federated network ${param(call, 'id')}: this site has none`,
      )
    })
}

/** What clients of the federated network service ask for, answered truthfully: there are none. */
export const federatedNetworkRoutes: readonly Route[] = [
  {
    ...about,
    method: 'GET',
    path: '/fns/services',
    id: 'listNetworkServices',
    summary: 'Lists the ways in which federated networks can be built: none',
    status: 200,
    response: object('NetworkServices', { services: { type: 'array', items: text } }),
    run: (operations, { context }) =>
      operations.answerTo(context, { operation: 'serviceNames', type }, () => ({ services: [] })),
  },
  {
    ...about,
    method: 'POST',
    path,
    id: 'createFederatedNetwork',
    summary: 'Not offered: federated networks are not available',
    status: 501,
    request: object('FederatedNetworkRequest', {
      name: text,
      cidr: text,
      providers: { type: 'array', items: text },
    }),
    response: errorView,
    run: (operations, { context }) =>
      operations.answerTo(context, { operation: 'create', type }, () => {
        throw new FogbowError('not_implemented', notBuilt)
      }),
  },
  {
    ...about,
    method: 'GET',
    path: `${path}/status`,
    id: 'listFederatedNetworks',
    summary: 'Lists your federated networks: none',
    status: 200,
    response: listOf(
      object('FederatedNetworkStatus', {
        instanceId: text,
        instanceName: text,
        provider: text,
        state: text,
      }),
    ),
    run: (operations, { context }) =>
      operations.answerTo(context, { operation: 'getAll', type }, () => []),
  },
  {
    ...about,
    method: 'GET',
    path: `${path}/{id}`,
    id: 'getFederatedNetwork',
    summary: 'Shows a federated network: there is none to show',
    status: 404,
    response: errorView,
    run: findNone('get'),
  },
  {
    ...about,
    method: 'DELETE',
    path: `${path}/{id}`,
    id: 'deleteFederatedNetwork',
    summary: 'Deletes a federated network: there is none to delete',
    status: 404,
    response: errorView,
    run: findNone('delete'),
  },
]

const wrapped: ApiSchema = {
  title: 'FederatedComputeRequest',
  description: 'A compute request, bare or wrapped',
  anyOf: [
    {
      type: 'object',
      required: ['compute'],
      properties: {
        compute: requestView(resources.compute),
        federatedNetworkId: {
          type: 'string',
          deprecated: true,
          description: 'Refused unless absent or empty',
        },
      },
    },
    requestView(resources.compute),
  ],
}

/** Ordering a compute as clients of the federated network service do: `{"compute": {…}}`, or bare. */
export const wrappedComputeRoute: Route = {
  method: 'POST',
  path: `/fns/${resources.compute.path}`,
  id: 'createCompute',
  summary: 'Orders a compute; the body may be wrapped in `compute`',
  tag: `/fns ${resources.compute.path}`,
  needsToken: true,
  status: 201,
  request: wrapped,
  response: createdId,
  run: async (operations, { context, body }) => {
    const { federatedNetworkId } = body as Record<string, unknown>
    if (federatedNetworkId) {
      return operations.answerTo(context, { operation: 'create', type }, () => {
        throw new FogbowError(
          'not_implemented',
          'Federated networks are not available at this site. Send the request without federatedNetworkId',
          { details: { field: 'federatedNetworkId' } },
        )
      })
    }
    return operations.createOrder(context, resources.compute.name, unwrapped(body))
  },
}

function unwrapped(body: unknown): unknown {
  const compute = (body as Record<string, unknown>).compute ?? body
  if (typeof compute === 'object' && !Array.isArray(compute)) return compute
  throw invalid('compute', 'must be an object, such as {"imageId": …}')
}
