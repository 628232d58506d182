import { FogbowError } from '@fogbow/plugin-sdk'
import type { Method, Route } from './route.ts'
import { errorView, object } from './views.ts'

const about = { tag: '/ms members', needsToken: false } as const

const members: Route = {
  ...about,
  method: 'GET',
  path: '/ms/members',
  id: 'listMembers',
  summary: 'Lists the members of the federation, this site among them',
  status: 200,
  response: object('Members', { members: { type: 'array', items: { type: 'string' } } }),
  run: (operations) => ({ members: operations.members() }),
}

const questions = {
  target: 'May users of this site go to that provider?',
  requester: 'May users of that provider come to this site?',
} as const

function authorizedRoute(direction: keyof typeof questions): Route {
  return {
    ...about,
    method: 'POST',
    path: `/ms/authorized/${direction}`,
    id: `isAuthorized${direction === 'target' ? 'Target' : 'Requester'}`,
    summary: questions[direction],
    status: 200,
    request: object('MemberQuestion', { provider: { type: 'string' } }),
    response: object('MemberAnswer', { authorized: { type: 'boolean' } }),
    run: (operations, { body }) => operations.isMemberAuthorized(direction, body),
  }
}

/** Paths of the original service that write its configuration file; here the file is the administrator's alone. */
const unoffered: readonly [Method, string][] = [
  ['POST', 'reload'],
  ['POST', 'service'],
  ['POST', 'provider'],
  ['PUT', 'provider'],
  ['DELETE', 'provider'],
]

function unofferedRoute([method, name]: readonly [Method, string]): Route {
  return {
    ...about,
    method,
    path: `/ms/admin/${name}`,
    id: `${method.toLowerCase()}Membership${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    summary: 'Not offered: members are set in fogbow.config.ts',
    status: 501,
    response: errorView,
    run: () => {
      throw new FogbowError(
        'not_implemented',
        'Members are not changed over this API: set `members` in fogbow.config.ts, then POST /ras/admin/reload',
      )
    },
  }
}

export const membershipRoutes: readonly Route[] = [
  members,
  authorizedRoute('target'),
  authorizedRoute('requester'),
  ...unoffered.map(unofferedRoute),
]
