import { join } from 'node:path'
import { type FederationUser, FogbowError, invalid } from '@fogbow/plugin-sdk'
import type { Selectable } from 'kysely'
import type { Audit, LogIns } from '../aaa/index.ts'
import type { PageRequest } from '../orders/index.ts'
import type { PluginSlot } from '../plugins/index.ts'
import type { AuditTable, LogInTable } from '../store/index.ts'
import { cutPage } from './cut-page.ts'
import type { OperationParts } from './operation-parts.ts'
import type {
  AuditEntry,
  FederationReport,
  LogInEntry,
  Operations,
  PluginReport,
  RequestContext,
} from './operations.ts'
import { storedBytes, toPluginReport } from './plugin-view.ts'
import { toBody } from './request.ts'

export interface AdminParts extends OperationParts {
  audit: Audit
  logIns: LogIns
  /** Reads the configuration again and applies it. */
  reload(): Promise<void>
  /** Absent when the site is in no federation. */
  examineFederation?: (() => Promise<FederationReport>) | undefined
  dataDir(): string
}

type AdminOperations = Pick<
  Operations,
  | 'reload'
  | 'setPolicy'
  | 'updatePolicy'
  | 'listAudit'
  | 'listLogIns'
  | 'listPlugins'
  | 'getPlugin'
  | 'restartPlugin'
  | 'getIsolation'
  | 'examineFederation'
  | 'backUp'
>

const LONGEST_PAGE = 1000

/** What only an administrator may ask; which roles that are is up to the authorization plugin. */
export function createAdminOperations(parts: AdminParts): AdminOperations {
  const { guard, store, plugins, audit } = parts

  function administer<Result>(
    context: RequestContext,
    operation: string,
    type: string,
    run: (user: FederationUser) => Promise<Result>,
  ): Promise<Result> {
    return guard(context, { operation, type }, async (access) => {
      await access.authorize()
      return run(access.user)
    })
  }

  /** @param asked - what tells this change from another one under the same `Idempotency-Key` */
  function administerOnce<Result>(
    context: RequestContext,
    operation: string,
    type: string,
    asked: () => unknown,
    run: () => Promise<Result>,
  ): Promise<Result> {
    return administer(context, operation, type, (user) =>
      parts.idempotently(context, user, [operation, asked()], async (remember) => {
        const answer = await run()
        await store.write((db) => remember(db, answer))
        return answer
      }),
    )
  }

  function changePolicy(
    context: RequestContext,
    body: unknown,
    method: 'setPolicy' | 'updatePolicy',
  ): Promise<void> {
    const policy = () => toPolicy(body)
    return administerOnce(context, method, 'POLICY', policy, () =>
      parts.aaa.setPolicy(method, policy()),
    )
  }

  function find(name: string): PluginSlot {
    const plugin = plugins.list().find((candidate) => candidate.name === name)
    if (plugin) return plugin
    throw new FogbowError('not_found', `There is no plugin '${name}' at this site`)
  }

  function reportOf(plugin: PluginSlot, stored: Map<string, number>): PluginReport {
    const config = parts.config().plugins[plugin.name]
    const report = toPluginReport(plugin, config, stored.get(plugin.name) ?? 0)
    return { ...report, closedForNew: plugin.closedForNew ?? null }
  }

  return {
    reload: (context) => administerOnce(context, 'reload', 'CONFIGURATION', nothing, parts.reload),
    setPolicy: (context, body) => changePolicy(context, body, 'setPolicy'),
    updatePolicy: (context, body) => changePolicy(context, body, 'updatePolicy'),

    listAudit: (context, query) =>
      administer(context, 'listAudit', 'AUDIT', async () => {
        const { limit } = toPage(query)
        await audit.flush()
        let rows = store.db
          .selectFrom('audit')
          .selectAll()
          .orderBy('id', 'desc')
          .limit(limit + 1)
        if (query.cursor !== undefined) rows = rows.where('id', '<', Number(query.cursor))
        if (query.userId !== undefined) rows = rows.where('user_id', '=', query.userId)
        if (query.orderId !== undefined) rows = rows.where('order_id', '=', query.orderId)
        const { items, next } = cutPage(await rows.execute(), limit, (row) => row.id)
        const version = String(items[0]?.id ?? 0)
        return { items: items.map(toAuditEntry), version, ...(next && { next }) }
      }),

    listLogIns: (context, { userName, source, address, outcome, ...page }) =>
      administer(context, 'listLogIns', 'AUDIT', async () => {
        const { limit, before } = toPage(page)
        const rows = await parts.logIns.records.list({
          limit: limit + 1,
          ...(before !== undefined && { before }),
          ...(userName !== undefined && { userName }),
          ...(source !== undefined && { source }),
          ...(address !== undefined && { address }),
          ...(outcome !== undefined && { outcome }),
        })
        const { items, next } = cutPage(rows, limit, (row) => row.id)
        const version = String(items[0]?.id ?? 0)
        return { items: items.map(toLogInEntry), version, ...(next && { next }) }
      }),

    listPlugins: (context) =>
      administer(context, 'listPlugins', 'PLUGIN', async () => {
        const stored = await storedBytes(store)
        return plugins.list().map((plugin) => reportOf(plugin, stored))
      }),

    getPlugin: (context, name) =>
      administer(context, 'getPlugin', 'PLUGIN', async () => {
        const plugin = find(name)
        return reportOf(plugin, await storedBytes(store))
      }),

    restartPlugin(context, name, body) {
      const asked = () => [name, toRestart(body)]
      return administerOnce(context, 'restartPlugin', 'PLUGIN', asked, () =>
        plugins.restart(restartable(find(name)), toRestart(body)),
      )
    },

    getIsolation: (context) =>
      administer(context, 'getIsolation', 'PLUGIN', async () => ({
        ...(await plugins.isolation()),
        minimum: parts.config().minimumIsolation,
        advice: plugins.alarm() ?? null,
      })),

    examineFederation: (context) =>
      administer(context, 'examineFederation', 'CONFIGURATION', async () => {
        if (parts.examineFederation) return parts.examineFederation()
        throw new FogbowError('not_found', 'This site is in no federation: its section is missing')
      }),

    backUp: (context) =>
      administerOnce(context, 'backUp', 'STORE', nothing, async () => {
        const stamp = new Date(parts.now()).toISOString().replace(/[:.]/g, '-')
        const path = join(parts.dataDir(), 'backups', `site-${stamp}.db`)
        await audit.flush()
        await store.backUp(path)
        return { path }
      }),
  }
}

const nothing = () => null

/** @throws invalid_parameter for a page that cannot be */
function toPage({ limit = 100, cursor }: PageRequest): { limit: number; before?: number } {
  if (!Number.isInteger(limit) || limit < 1 || limit > LONGEST_PAGE)
    throw invalid('limit', `must be a number from 1 to ${LONGEST_PAGE}`)
  if (cursor === undefined) return { limit }
  if (!/^\d{1,15}$/.test(cursor)) throw invalid('cursor', 'must be the cursor of a page before')
  return { limit, before: Number(cursor) }
}

function toLogInEntry(row: Selectable<LogInTable>): LogInEntry {
  return {
    id: row.id,
    timestamp: new Date(row.timestamp).toISOString(),
    requestId: row.request_id,
    userName: row.user_name,
    source: row.source,
    address: row.address,
    outcome: row.outcome,
    reason: row.reason,
  }
}

function toPolicy(body: unknown): string {
  const { policy } = toBody(body)
  if (typeof policy === 'string') return policy
  throw invalid('policy', 'must be the text of a policy')
}

function toRestart(body: unknown): { originalIsolation: boolean } {
  const { originalIsolation = false } = toBody(body)
  if (typeof originalIsolation === 'boolean') return { originalIsolation }
  throw invalid('originalIsolation', 'must be true or false')
}

function toAuditEntry(row: Selectable<AuditTable>): AuditEntry {
  return {
    id: row.id,
    timestamp: new Date(row.timestamp).toISOString(),
    requestId: row.request_id,
    operation: row.operation,
    resourceType: row.resource_type,
    userId: row.user_id,
    identityProviderId: row.identity_provider_id,
    requester: row.requester,
    provider: row.provider,
    cloudName: row.cloud_name,
    orderId: row.order_id,
    detail: row.detail,
    response: row.response,
  }
}

/** What a revocation stopped stays so until another version is installed or the revocation is taken back. */
function restartable({ name, health, closedForNew }: PluginSlot): string {
  if (closedForNew === undefined || health().state !== 'stopped') return name
  const message = `Plugin '${name}' stays stopped, because ${closedForNew}; install another version, or see: fogbow plugin revocations`
  throw new FogbowError('unacceptable_operation', message)
}
