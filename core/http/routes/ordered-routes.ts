import type { OrderedKind } from '@fogbow/plugin-sdk'
import type { StatusQuery } from '../../operations/index.ts'
import { type Call, param, type Route } from './route.ts'
import {
  allocationView,
  createdId,
  delegationRequest,
  delegationView,
  instanceView,
  listOf,
  orderHistoryEntry,
  orderOutcome,
  requestView,
  shownStates,
  statusEntry,
  titleOf,
} from './views.ts'

export const pageQuery = {
  limit: {
    type: 'integer',
    minimum: 1,
    maximum: 1000,
    description: 'Entries per page; everything when absent',
  },
  cursor: {
    type: 'string',
    minLength: 1,
    maxLength: 1024,
    description: 'From the `Link` header of the page before',
  },
} as const

const placeText = { type: 'string', minLength: 1, maxLength: 255 } as const

const statusQuery = {
  properties: {
    ...pageQuery,
    state: {
      type: 'array',
      maxItems: 32,
      items: { type: 'string', enum: shownStates },
      description: 'One or more states, separated by commas',
    },
    provider: { ...placeText, description: 'Only those of this provider' },
    cloudName: { ...placeText, description: 'Only those of this cloud' },
    name: { ...placeText, description: 'Only those with this text in their name' },
  },
} as const

/** Routes of a kind whose instances come into being by orders. */
export function orderedRoutes(base: string, kind: OrderedKind): Route[] {
  const at = `${base}/${kind.path}`
  const name = titleOf(kind)
  const about = { tag: `${base} ${kind.path}`, needsToken: true } as const
  const routes: Route[] = [
    {
      ...about,
      method: 'POST',
      path: at,
      id: `create${name}`,
      summary: `Orders ${oneOf(kind)}`,
      status: 201,
      request: requestView(kind),
      response: createdId,
      run: (operations, { context, body }) => operations.createOrder(context, kind.name, body),
    },
    {
      ...about,
      method: 'GET',
      path: `${at}/status`,
      id: `list${name}s`,
      summary: `Lists your ${noun(kind)}s`,
      status: 200,
      query: statusQuery,
      response: listOf(statusEntry),
      paged: true,
      run: (operations, { context, query }) =>
        operations.listOrders(context, kind.name, query as StatusQuery),
    },
    {
      ...about,
      method: 'GET',
      path: `${at}/{id}`,
      id: `get${name}`,
      summary: `Shows ${oneOf(kind)}`,
      status: 200,
      response: instanceView(kind),
      run: (operations, call) => operations.getOrder(call.context, kind.name, param(call, 'id')),
    },
    {
      ...about,
      method: 'DELETE',
      path: `${at}/{id}`,
      id: `delete${name}`,
      summary: `Starts the deletion of ${oneOf(kind)}`,
      status: 200,
      run: (operations, call) => operations.deleteOrder(call.context, kind.name, param(call, 'id')),
    },
    {
      ...about,
      method: 'GET',
      path: `${at}/{id}/history`,
      id: `get${name}History`,
      summary: `Lists the state changes of ${oneOf(kind)}, oldest first`,
      status: 200,
      response: listOf(orderHistoryEntry),
      run: (operations, call) =>
        operations.getOrderHistory(call.context, kind.name, param(call, 'id')),
    },
    ...delegationRoutes(at, about, kind),
  ]
  if (kind.hasAllocation) routes.push(allocationRoute(at, about, kind))
  if (kind.hasSnapshot) routes.push(snapshotRoute(at, about, kind))
  return [...routes, ...actionRoutes(at, about, kind)]
}

type About = Pick<Route, 'tag' | 'needsToken'>

/** What allows the site to work on an order while its owner is not logged in. */
function delegationRoutes(at: string, about: About, kind: OrderedKind): Route[] {
  const name = titleOf(kind)
  const path = `${at}/{id}/delegation`
  return [
    {
      ...about,
      method: 'GET',
      path,
      id: `get${name}Delegation`,
      summary: `Shows what allows the site to work on ${oneOf(kind)} while its owner is away`,
      status: 200,
      response: delegationView,
      run: (operations, call) =>
        operations.getDelegation(call.context, kind.name, param(call, 'id')),
    },
    {
      ...about,
      method: 'DELETE',
      path,
      id: `revoke${name}Delegation`,
      summary: 'Revokes it: nothing is done by itself any more, and what is there stays',
      status: 200,
      query: {
        properties: {
          reason: { type: 'string', minLength: 1, maxLength: 255, description: 'Why, in words' },
        },
      },
      response: delegationView,
      run: (operations, call) =>
        operations.revokeDelegation(call.context, kind.name, param(call, 'id'), {
          reason: call.query.reason,
        }),
    },
    {
      ...about,
      method: 'POST',
      path,
      id: `grant${name}Delegation`,
      summary: 'Grants it anew, so that work goes on',
      status: 201,
      request: delegationRequest,
      response: delegationView,
      run: (operations, { body, ...call }) =>
        operations.grantDelegation(call.context, kind.name, call.params.id ?? '', {
          expiresAt: (body as { expiresAt?: unknown }).expiresAt,
        }),
    },
  ]
}

function allocationRoute(at: string, about: About, kind: OrderedKind): Route {
  return {
    ...about,
    method: 'GET',
    path: `${at}/allocation/{provider}/{cloud}`,
    id: `get${titleOf(kind)}Allocation`,
    summary: `Adds up what your ${noun(kind)}s occupy in a cloud`,
    status: 200,
    response: allocationView(kind),
    run: (operations, call) =>
      operations.getAllocation(
        call.context,
        kind.name,
        param(call, 'provider'),
        param(call, 'cloud'),
      ),
  }
}

function snapshotRoute(at: string, about: About, kind: OrderedKind): Route {
  return {
    ...about,
    method: 'POST',
    path: `${at}/{id}/snapshot`,
    id: `snapshot${titleOf(kind)}`,
    summary: 'Makes an image of it; needs to be paused or hibernated',
    status: 201,
    request: {
      title: 'SnapshotRequest',
      type: 'object',
      properties: { name: { type: 'string', description: 'Name of the new image' } },
    },
    run: (operations, call) =>
      operations.takeSnapshot(call.context, kind.name, param(call, 'id'), call.body),
  }
}

/** Each action on one order, and on all orders of one user. */
function actionRoutes(at: string, about: About, kind: OrderedKind): Route[] {
  return kind.actions.flatMap((action): Route[] => [
    {
      ...about,
      method: 'POST',
      path: `${at}/{id}/${action.name}`,
      id: `${action.name}${titleOf(kind)}`,
      summary: action.title,
      status: 200,
      run: (operations, call) =>
        operations.actOnOrder(call.context, kind.name, param(call, 'id'), action.name),
    },
    {
      ...about,
      method: 'POST',
      path: `${at}/${action.name}/{userId}/{providerId}`,
      id: `${action.name}${titleOf(kind)}sOfUser`,
      summary: `For every ${noun(kind)} of a user: ${action.name}; answers what became of each`,
      status: 200,
      response: listOf(orderOutcome),
      run: (operations, call) =>
        operations.actOnOrdersOfUser(call.context, kind.name, action.name, userOf(call)),
    },
  ])
}

/** The user named by a path that ends in `{userId}/{providerId}`. */
export function userOf(call: Call): { id: string; identityProviderId: string } {
  return { id: param(call, 'userId'), identityProviderId: param(call, 'providerId') }
}

function noun(kind: OrderedKind): string {
  return kind.title.charAt(0).toLowerCase() + kind.title.slice(1)
}

function oneOf(kind: OrderedKind): string {
  return `${/^[aeiou]/i.test(kind.title) ? 'an' : 'a'} ${noun(kind)}`
}
