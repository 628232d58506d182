import { pageQuery, userOf } from './ordered-routes.ts'
import { type ApiSchema, param, type Route } from './route.ts'
import { listOf, object, objectOf, orderOutcome } from './views.ts'

const text = { type: 'string' } as const
const textOrNull = { type: ['string', 'null'] } as const
const texts = { type: 'array', items: text } as const
const about = { tag: '/ras admin', needsToken: true } as const

const policyRequest = object('PolicyRequest', {
  policy: { description: 'Policy of the authorization plugin' },
})

const auditEntry = object('AuditEntry', {
  id: { type: 'integer' },
  timestamp: { type: 'string', format: 'date-time' },
  requestId: text,
  operation: text,
  resourceType: text,
  userId: textOrNull,
  identityProviderId: textOrNull,
  requester: text,
  provider: text,
  cloudName: textOrNull,
  orderId: textOrNull,
  detail: { ...textOrNull, description: 'What was done to which package, and why' },
  response: { type: 'string', description: '`ok` or the error code' },
})

const auditQuery = {
  properties: {
    ...pageQuery,
    userId: { type: 'string', minLength: 1, maxLength: 255, description: 'Only of this user' },
    orderId: { type: 'string', minLength: 1, maxLength: 64, description: 'Only of this order' },
  },
} as const

const logInEntry = object('LogInEntry', {
  id: { type: 'integer' },
  timestamp: { type: 'string', format: 'date-time' },
  requestId: text,
  userName: { ...textOrNull, description: 'As it was typed' },
  source: { ...textOrNull, description: 'Identity source that was asked' },
  address: { type: 'string', description: 'Of the client' },
  outcome: {
    type: 'string',
    description: '`ok`, `refused`, `locked out`, or `failed` when nobody could tell',
  },
  reason: { ...textOrNull, description: 'What the user was told' },
})

const logInQuery = {
  properties: {
    ...pageQuery,
    userName: { type: 'string', minLength: 1, maxLength: 255, description: 'Only of this user' },
    source: { type: 'string', minLength: 1, maxLength: 64, description: 'Only at this source' },
    address: { type: 'string', minLength: 1, maxLength: 64, description: 'Only from there' },
    outcome: {
      type: 'string',
      enum: ['ok', 'refused', 'locked out', 'failed'],
      description: 'Only with this outcome',
    },
  },
} as const

const amount = { type: 'integer' } as const
const nullable = (schema: ApiSchema): ApiSchema => ({ ...schema, type: [schema.type, 'null'] })
const timeOrNull = { type: ['string', 'null'], format: 'date-time' } as const
const event = (reason: string) =>
  nullable(objectOf({ [reason]: text, at: { type: 'string', format: 'date-time' } }))

const plugin = object('Plugin', {
  name: text,
  package: text,
  version: text,
  kinds: texts,
  state: text,
  isolation: { type: 'string', description: 'Level that it has at present' },
  reason: { ...textOrNull, description: 'Why it does not run, or was restarted last' },
  bundleHash: { ...textOrNull, description: 'SHA-256 of the code that runs' },
  closedForNew: { ...textOrNull, description: 'Why it takes no new orders' },
  advice: { ...textOrNull, description: 'What to do next' },
  retryAt: { ...timeOrNull, description: 'When it is started again by itself' },
  lastFailure: event('message'),
  isolationChoice: nullable(
    objectOf({
      wanted: text,
      why: text,
      minimum: text,
      missing: { ...texts, description: 'What this machine lacks for a stronger isolation' },
      moved: event('reason'),
    }),
  ),
  capabilities: objectOf({
    network: texts,
    addresses: texts,
    secrets: texts,
    storage: { type: 'boolean' },
  }),
  storage: nullable(objectOf({ usedBytes: amount, quotaBytes: amount })),
  limits: { type: ['object', 'null'], additionalProperties: amount },
  usage: objectOf({
    calls: amount,
    errors: amount,
    inFlight: amount,
    waiting: amount,
    restarts: amount,
    deniedRequests: amount,
    cpuMs: amount,
    heapBytes: amount,
  }),
})

const pluginRestart: ApiSchema = {
  title: 'PluginRestart',
  type: 'object',
  properties: {
    originalIsolation: {
      type: 'boolean',
      description: 'A plugin that was moved because its thread did not end gets a thread again',
    },
  },
}

const isolation = object('Isolation', {
  level: { type: 'string', description: 'The strongest that this machine has' },
  missing: { ...texts, description: 'What a stronger one would need' },
  minimum: { type: 'string', description: 'The weakest that the configuration allows' },
  zombies: { type: 'integer', description: 'Threads that cannot be stopped' },
  zombieLimit: { type: 'integer', description: 'At this many the site should be restarted' },
  advice: textOrNull,
})

const federationReport = object('FederationReport', {
  link: objectOf({
    state: { type: 'string', description: 'connecting, online, offline, refused or stopped' },
  }),
  keys: { ...texts, description: 'What members are to pin, `kid:key`' },
  members: listOf(
    objectOf({
      id: text,
      dialect: { type: 'string', description: 'own, java or unknown' },
      pinned: { ...texts, description: 'Names of the keys in the configuration' },
      isKnown: { type: 'boolean', description: 'Whether any key of it is believed' },
      ping: objectOf({
        kind: {
          type: 'string',
          description: 'answered, not believed, refused, not delivered, silent or not sent',
        },
      }),
    }),
  ),
})

/** What an administrator can ask: as in the original service, and below it what is new. */
export const administrationRoutes: readonly Route[] = [
  {
    ...about,
    method: 'POST',
    path: '/ras/admin/reload',
    id: 'reload',
    summary: 'Reads the configuration again and replaces what changed',
    status: 200,
    run: (operations, { context }) => operations.reload(context),
  },
  {
    ...about,
    method: 'POST',
    path: '/ras/admin/policy',
    id: 'setPolicy',
    summary: 'Replaces the authorization policy',
    status: 200,
    request: policyRequest,
    run: (operations, { context, body }) => operations.setPolicy(context, body),
  },
  {
    ...about,
    method: 'PUT',
    path: '/ras/admin/policy',
    id: 'updatePolicy',
    summary: 'Changes parts of the authorization policy',
    status: 200,
    request: policyRequest,
    run: (operations, { context, body }) => operations.updatePolicy(context, body),
  },
  {
    ...about,
    method: 'DELETE',
    path: '/ras/admin/purge/{userId}/{providerId}',
    id: 'purgeUser',
    summary: 'Starts the deletion of everything a user has; answers what became of each order',
    status: 200,
    response: listOf(orderOutcome),
    run: (operations, call) => operations.purgeUser(call.context, userOf(call)),
  },
  {
    ...about,
    method: 'GET',
    path: '/ras/admin/audit',
    id: 'listAudit',
    summary: 'Lists what was asked, by whom and with what result',
    status: 200,
    query: auditQuery,
    response: listOf(auditEntry),
    paged: true,
    run: (operations, { context, query }) => operations.listAudit(context, query),
  },
  {
    ...about,
    method: 'GET',
    path: '/ras/admin/logins',
    id: 'listLogIns',
    summary: 'Lists who logged in and who could not, from where, and why',
    status: 200,
    query: logInQuery,
    response: listOf(logInEntry),
    paged: true,
    run: (operations, { context, query }) => operations.listLogIns(context, query),
  },
  {
    ...about,
    method: 'GET',
    path: '/ras/admin/plugins',
    id: 'listPlugins',
    summary: 'Lists the plugins of this site and what they may reach',
    status: 200,
    response: listOf(plugin),
    run: (operations, { context }) => operations.listPlugins(context),
  },
  {
    ...about,
    method: 'GET',
    path: '/ras/admin/plugins/{name}',
    id: 'getPlugin',
    summary: 'Shows one plugin: code, isolation, what it may reach, limits and use, failures',
    status: 200,
    response: plugin,
    run: (operations, call) => operations.getPlugin(call.context, param(call, 'name')),
  },
  {
    ...about,
    method: 'POST',
    path: '/ras/admin/plugins/{name}/restart',
    id: 'restartPlugin',
    summary: 'Stops a plugin and starts it again',
    status: 200,
    request: pluginRestart,
    run: (operations, call) =>
      operations.restartPlugin(call.context, param(call, 'name'), call.body),
  },
  {
    ...about,
    method: 'GET',
    path: '/ras/admin/isolation',
    id: 'getIsolation',
    summary: 'Shows how plugins can be isolated on this machine, and what is missing for more',
    status: 200,
    response: isolation,
    run: (operations, { context }) => operations.getIsolation(context),
  },
  {
    ...about,
    method: 'GET',
    path: '/ras/admin/federation',
    id: 'examineFederation',
    summary: 'Looks at the link to the XMPP server, and asks every member once',
    status: 200,
    response: federationReport,
    run: (operations, { context }) => operations.examineFederation(context),
  },
  {
    ...about,
    method: 'POST',
    path: '/ras/admin/backup',
    id: 'backUp',
    summary: 'Writes a copy of the store from which a site can start; answers where',
    status: 201,
    response: object('Backup', { path: text }),
    run: (operations, { context }) => operations.backUp(context),
  },
]
