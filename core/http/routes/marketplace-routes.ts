import { pluginKinds } from '@fogbow/plugin-sdk'
import type { SearchQuery } from '@fogbow/registry'
import { type ApiSchema, param, type Route } from './route.ts'
import { listOf, object, objectOf } from './views.ts'

const text = { type: 'string' } as const
const texts = { type: 'array', items: text } as const
const integer = { type: 'integer' } as const
const time = { type: 'string', format: 'date-time' } as const
const anything: ApiSchema = { type: 'object', additionalProperties: true }
const about = { tag: '/ras admin marketplace', needsToken: true } as const
const base = '/ras/admin/marketplace'

/** Only what is always there is required. */
function open(title: string, properties: Record<string, ApiSchema>): ApiSchema {
  return { title, type: 'object', properties }
}

const found = {
  name: text,
  description: text,
  kinds: texts,
  version: { ...text, description: 'The newest version that suits this site' },
  newest: text,
  unsuitable: { ...text, description: 'Why the newest does not suit' },
  license: text,
  publishedAt: text,
  source: { ...text, description: 'Registry or catalogue' },
  publisher: text,
  vetting: text,
  installed: text,
  resembles: { ...text, description: 'Better-known package that it could be taken for' },
  deprecated: open('Deprecation', { reason: text, successor: text }),
}

const searchResult = open('PluginSearch', {
  items: listOf(open('FoundPlugin', found)),
  next: { ...text, description: 'Cursor of the next page' },
  problems: listOf(objectOf({ source: text, problem: text })),
})

const pluginAbout = open('PluginAbout', {
  ...found,
  versions: listOf(
    open('OfferedVersion', { version: text, sdk: text, suits: { type: 'boolean' } }),
  ),
  manifest: anything,
  readme: text,
  changelog: text,
  size: { ...integer, description: 'Unpacked, bytes' },
  advisories: listOf(anything),
  screenshots: listOf(objectOf({ url: text, caption: text })),
  homepage: text,
})

const actor = open('Actor', { id: text, reason: text })

const plan = open('Plan', {
  id: text,
  request: anything,
  base: { ...integer, description: 'Generation that it was made for' },
  createdAt: time,
  createdBy: actor,
  changes: listOf(anything),
  settings: anything,
  needsAcceptance: { ...texts, description: 'What has to be accepted by name' },
  refusals: { ...texts, description: 'Why it cannot be applied' },
  notes: { ...texts, description: 'What else is to be known' },
})

const generation = open('Generation', {
  number: integer,
  at: time,
  by: actor,
  change: text,
  plan: text,
  plugins: listOf(objectOf({ name: text, version: text, level: text, hash: text })),
  settings: { ...anything, description: 'Made through the marketplace, by plugin instance' },
  problem: { ...text, description: 'Its file is damaged: nothing else is known of it' },
})

const settingsCheck = open('SettingsCheck', {
  instance: text,
  missing: { ...texts, description: 'Keys that are required and not set' },
  secrets: { ...texts, description: 'Secrets that are asked for and have no reference' },
  unknown: { ...texts, description: 'Keys that are set and not known' },
  descriptions: { ...anything, description: 'What the vendor says of keys that are missing' },
  problem: { ...text, description: 'Why it would not start with them' },
})

const counts = objectOf({ calls: integer, failures: integer })
const trial = object('PluginTrial', {
  plugin: text,
  package: text,
  present: { ...text, description: 'Version that serves' },
  tried: { ...text, description: 'Version that is tried out' },
  plan: text,
  of: { ...anything, description: 'share, project or user' },
  startedAt: time,
  startedBy: text,
  counts: objectOf({ present: counts, tried: counts }),
})

const drift = object('Drift', {
  kind: text,
  subject: text,
  message: text,
  remedy: text,
})

const revocation = {
  package: text,
  versions: { ...text, description: 'Range of versions' },
  hash: { ...text, description: 'Only this bundle' },
  action: { ...text, enum: ['warn', 'stop-new-orders', 'stop'] },
  reason: text,
  url: text,
}

const changeRequest = open('PluginChange', {
  action: { ...text, enum: ['install', 'upgrade', 'remove', 'rollback', 'configure'] },
  source: { ...text, description: 'install: npm package, or absolute folder or file at the site' },
  registry: { ...text, description: 'install: another registry than the usual one' },
  package: { ...text, description: 'upgrade, remove' },
  generation: { ...integer, description: 'rollback' },
  instance: { ...text, description: 'configure: name in the configuration' },
  settings: {
    type: ['object', 'null'],
    description:
      'configure: in place of those before, null takes them away; install, upgrade: by instance',
  },
  reason: { ...text, description: 'Kept with the generation and in the audit' },
})

const planPath = `${base}/plans/{id}`

/** Plugins: found, planned, applied, tried out, taken back. */
export const marketplaceRoutes: readonly Route[] = [
  {
    ...about,
    method: 'GET',
    path: `${base}/search`,
    id: 'searchPlugins',
    summary: 'Searches registries and catalogues for plugins that suit this site',
    status: 200,
    query: {
      properties: {
        text: { type: 'string', maxLength: 255 },
        kind: { type: 'string', enum: pluginKinds },
        source: { type: 'string', maxLength: 64 },
        limit: { type: 'integer', minimum: 1, maximum: 250 },
        cursor: { type: 'string', maxLength: 16 },
      },
    },
    response: searchResult,
    run: (operations, { context, query }) =>
      operations.searchPlugins(context, query as SearchQuery),
  },
  {
    ...about,
    method: 'GET',
    path: `${base}/packages/{name}`,
    id: 'describePackage',
    summary: 'Shows one package before it is installed; a scope is written `%2f`',
    status: 200,
    query: {
      properties: {
        version: { type: 'string', maxLength: 256 },
        source: { type: 'string', maxLength: 64 },
      },
    },
    response: pluginAbout,
    run: (operations, call) =>
      operations.describePackage(call.context, param(call, 'name'), call.query),
  },
  {
    ...about,
    method: 'POST',
    path: `${base}/plans`,
    id: 'planChange',
    summary: 'Works out a change of the plugins; nothing that runs changes',
    status: 201,
    request: changeRequest,
    response: plan,
    run: (operations, { context, body }) => operations.planChange(context, body),
  },
  {
    ...about,
    method: 'GET',
    path: `${base}/plans`,
    id: 'listPlans',
    summary: 'Lists plans that wait',
    status: 200,
    response: listOf(plan),
    run: (operations, { context }) => operations.listPlans(context),
  },
  {
    ...about,
    method: 'GET',
    path: planPath,
    id: 'getPlan',
    summary: 'Shows one plan',
    status: 200,
    response: plan,
    run: (operations, call) => operations.getPlan(call.context, param(call, 'id')),
  },
  {
    ...about,
    method: 'DELETE',
    path: planPath,
    id: 'discardPlan',
    summary: 'Drops a plan',
    status: 200,
    run: (operations, call) => operations.discardPlan(call.context, param(call, 'id')),
  },
  {
    ...about,
    method: 'POST',
    path: `${planPath}/apply`,
    id: 'applyPlan',
    summary: 'Starts and tries the new versions beside the present ones, then lets them take over',
    status: 200,
    request: open('PlanAcceptance', {
      accept: { ...texts, description: 'All of `needsAcceptance`' },
      reason: text,
      trial: { type: 'object', description: 'share, project or user: only these new orders' },
    }),
    response: open('AppliedPlan', { generation, trial }),
    run: (operations, call) => operations.applyPlan(call.context, param(call, 'id'), call.body),
  },
  {
    ...about,
    method: 'GET',
    path: `${base}/generations`,
    id: 'listGenerations',
    summary: 'Lists what was installed when and by whom, the newest first',
    status: 200,
    response: listOf(generation),
    run: (operations, { context }) => operations.listGenerations(context),
  },
  {
    ...about,
    method: 'GET',
    path: `${base}/settings/{instance}`,
    id: 'checkPluginSettings',
    summary: 'Says what is missing in the settings of a plugin',
    status: 200,
    response: settingsCheck,
    run: (operations, call) =>
      operations.checkPluginSettings(call.context, param(call, 'instance')),
  },
  {
    ...about,
    method: 'GET',
    path: `${base}/drift`,
    id: 'listDrift',
    summary: 'Compares configuration, installed packages, stored code and what runs',
    status: 200,
    query: { properties: { refresh: { type: 'string', enum: ['true', 'false'] } } },
    response: listOf(drift),
    run: (operations, { context, query }) =>
      operations.listDrift(context, query.refresh === 'true'),
  },
  {
    ...about,
    method: 'GET',
    path: `${base}/trials`,
    id: 'listTrials',
    summary: 'Lists versions that are tried out with some of the new orders',
    status: 200,
    response: listOf(trial),
    run: (operations, { context }) => operations.listTrials(context),
  },
  {
    ...about,
    method: 'POST',
    path: `${base}/trials/{plugin}`,
    id: 'decideTrial',
    summary: 'Ends a trial',
    status: 200,
    request: open('TrialVerdict', {
      verdict: { ...text, enum: ['promote', 'revert'] },
      reason: text,
    }),
    run: (operations, call) =>
      operations.decideTrial(call.context, param(call, 'plugin'), call.body),
  },
  {
    ...about,
    method: 'GET',
    path: `${base}/revocations`,
    id: 'listRevocations',
    summary: 'Lists what lists, members and this site have revoked',
    status: 200,
    response: listOf(
      open('Revocation', { ...revocation, since: text, source: text, plugins: texts }),
    ),
    run: (operations, { context }) => operations.listRevocations(context),
  },
  {
    ...about,
    method: 'POST',
    path: `${base}/revocations`,
    id: 'revokePackage',
    summary: 'Revokes versions of a package, here and for members that believe this site',
    status: 200,
    request: open('NewRevocation', revocation),
    run: (operations, { context, body }) => operations.revokePackage(context, body),
  },
  {
    ...about,
    method: 'POST',
    path: `${base}/revocations/withdraw`,
    id: 'withdrawRevocation',
    summary: 'Takes back what this site revoked',
    status: 200,
    request: open('Withdrawal', { package: text, versions: text }),
    run: (operations, { context, body }) => operations.withdrawRevocation(context, body),
  },
  {
    ...about,
    method: 'POST',
    path: `${base}/refresh`,
    id: 'refreshMarketplace',
    summary: 'Reads catalogues and revocation lists again',
    status: 200,
    response: objectOf({ problems: listOf(objectOf({ source: text, problem: text })) }),
    run: (operations, { context }) => operations.refreshMarketplace(context),
  },
  {
    ...about,
    method: 'GET',
    path: '/ras/admin/plugins/{name}/reference',
    id: 'getPluginReference',
    summary: 'Shows what a plugin offers and what can be configured, in Markdown',
    status: 200,
    response: object('PluginReference', { markdown: text }),
    run: (operations, call) => operations.getPluginReference(call.context, param(call, 'name')),
  },
]
