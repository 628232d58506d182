import { FogbowError } from '@fogbow/plugin-sdk'
import type { MemberStatus } from '../../operations/index.ts'
import type { Method, Route } from './route.ts'
import { errorView, object } from './views.ts'

const time = { type: 'string', format: 'date-time' } as const
const memberView = {
  title: 'MemberStatus',
  type: 'object',
  required: ['id', 'local', 'dialect', 'liveness', 'sources'],
  properties: {
    id: { type: 'string' },
    local: { type: 'boolean', description: 'Whether it is this site' },
    dialect: {
      type: 'string',
      enum: ['own', 'java', 'unknown'],
      description: 'How it is spoken to; `java` is the original service',
    },
    liveness: { type: 'string', enum: ['alive', 'silent', 'unknown'] },
    latencyMs: { type: 'number', description: 'Round trip of its last sign of life' },
    lastSeenAt: time,
    problem: { type: 'string', description: 'Why it is not used' },
    sources: {
      type: 'array',
      description: 'Who names it as a member',
      items: {
        title: 'MemberNaming',
        type: 'object',
        required: ['source', 'statement'],
        properties: {
          source: { type: 'string', description: '`configuration`, or the name of a rendezvous' },
          statement: {
            type: 'string',
            enum: ['verified', 'expired', 'none'],
            description: 'Whether the rendezvous signed that it is a member',
          },
          lastHeardAt: time,
        },
      },
    },
  },
} as const

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

/** A path of its own: clients of the original read `/ms/members` as an array of texts. */
const memberStatus: Route = {
  ...about,
  method: 'GET',
  path: '/ms/members/status',
  id: 'listMemberStatus',
  summary: 'Shows how the members of the federation fare, this site first',
  status: 200,
  response: object('MemberStatuses', { members: { type: 'array', items: memberView } }),
  run: (operations) => ({ members: operations.memberStatus().map(toView) }),
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

function toView({ lastSeenAt, sources = [], ...member }: MemberStatus) {
  return {
    ...member,
    ...(lastSeenAt !== undefined && { lastSeenAt: new Date(lastSeenAt).toISOString() }),
    sources: sources.map(({ source, statement, lastHeardAt }) => ({
      source,
      statement,
      ...(lastHeardAt !== undefined && { lastHeardAt: new Date(lastHeardAt).toISOString() }),
    })),
  }
}

export const membershipRoutes: readonly Route[] = [
  members,
  memberStatus,
  authorizedRoute('target'),
  authorizedRoute('requester'),
  ...unoffered.map(unofferedRoute),
]
