import { type FederationUser, FogbowError } from '@fogbow/plugin-sdk'
import { pino } from 'pino'
import {
  createAaaPipeline,
  createAudit,
  createLogInLimits,
  createLogInRecords,
  createLogIns,
  createLoginsElsewhere,
  createPendingLogins,
  loadRevocations,
} from '../../aaa/index.ts'
import { createLocalClouds } from '../../clouds/index.ts'
import type { SiteConfig } from '../../config/index.ts'
import { noMarketplace } from '../../marketplace/testing/no-marketplace.ts'
import { createEngine, findOrder, systemClock } from '../../orders/index.ts'
import { ModelCloud } from '../../orders/testing/model-cloud.ts'
import {
  type Methods,
  type StandInPlugin,
  standInPlugin,
  standInPlugins,
} from '../../plugins/testing/stand-in-plugins.ts'
import { openSqliteStore, type Store } from '../../store/index.ts'
import { type AnySite, createOperations, createProviders, noRemoteProviders } from '../index.ts'
import type { Operations, RequestContext } from '../operations.ts'

export const siteId = 'site-a'
const LONG_MS = 3_600_000

interface CloudOrder {
  orderId: string
}

/** Everything that can be asked of a site, over a real store, pipeline and engine, with a model of a cloud behind it. */
export interface OperationsBench {
  operations: Operations
  store: Store
  cloud: ModelCloud
  cloudPlugin: StandInPlugin
  aaaPlugin: StandInPlugin
  config: SiteConfig
  reloads: number
  /** A request of this user; the token is the name, with its roles behind a colon. */
  as(user: string, more?: Partial<RequestContext>): RequestContext
  /** Waits until orders have come to rest. */
  settle(): Promise<void>
  close(): Promise<void>
}

/** `ana:admin,user` → Ana with two roles. */
function toUser(tokenValue: string, identityProviderId: string): FederationUser {
  const [id = '', roles = 'user'] = tokenValue.split(':')
  return { id, identityProviderId, name: id, roles: roles.split(',') }
}

/** Everybody is who he says, and may do everything with what is his. */
export function aaaMethods(site: string): Methods {
  return {
    'tokenGenerator.createTokenValue': ({ username }: { username: string }) => username,
    'federationIdentity.getFederationUserToken': (tokenValue: string) => ({
      ...toUser(tokenValue, site),
      tokenValue,
      expiresAt: Date.now() + LONG_MS,
    }),
    'authentication.isAuthentic': ({ id }: { id: string }) => id !== 'nobody',
    'authorization.isAuthorized': (user: FederationUser, { owner }: { owner?: { id: string } }) =>
      user.roles.includes('admin') || owner === undefined || owner.id === user.id,
    'federationToLocalMapper.getToken': () => ({ project: 'demo' }),
  }
}

export function cloudMethods(cloud: ModelCloud): Methods {
  const asOrder = (order: CloudOrder) => ({ id: order.orderId }) as never
  const sizes = { vCPU: 2, ram: 2048, disk: 20, size: 10 }
  const addresses = { cidr: '10.1.0.0/24', gateway: '10.1.0.1', allocationMode: 'dynamic' }
  const more = { ...sizes, ...addresses, device: '/dev/sdb', ip: '198.18.0.9' }
  const methods: Methods = {}
  for (const kind of ['compute', 'volume', 'network', 'attachment', 'publicIp']) {
    methods[`${kind}.requestInstance`] = async (order: CloudOrder) => ({
      ...(await cloud.requestInstance(asOrder(order))),
      ...(kind === 'compute' && { allocation: { vCPU: 2, ram: 2048, disk: 20 } }),
    })
    methods[`${kind}.getInstance`] = async (order: CloudOrder) => ({
      ...(await cloud.getInstance(asOrder(order))),
      ...more,
    })
    methods[`${kind}.deleteInstance`] = (order: CloudOrder) => cloud.deleteInstance(asOrder(order))
  }
  for (const method of ['pauseInstance', 'resumeInstance'])
    methods[`compute.${method}`] = (order: CloudOrder) => cloud.act(asOrder(order), method)
  return methods
}

/** A site of two clouds that share a plugin. */
export function benchConfig(siteId: string, members: readonly string[]): SiteConfig {
  return {
    site: { id: siteId },
    aaa: {
      tokenGenerator: 'aaa',
      federationIdentity: 'aaa',
      authentication: 'aaa',
      authorization: 'aaa',
      cacheSeconds: 0,
    },
    plugins: {},
    clouds: {
      one: { plugin: 'cloud', mapper: 'aaa', kinds: {}, concurrency: 16 },
      two: { plugin: 'cloud', mapper: 'aaa', kinds: {}, concurrency: 16 },
    },
    members: { list: members },
    placement: { default: 'local' },
    orders: {
      freshMs: 0,
      readTimeoutMs: 1000,
      firstCheckMs: 1,
      longestCheckMs: 5,
      firstHealthCheckMs: LONG_MS,
      longestHealthCheckMs: LONG_MS,
      firstRetryMs: LONG_MS,
      longestRetryMs: LONG_MS,
      settleMs: 0,
      actionLimitMs: LONG_MS,
    },
    userQuota: {},
  } as unknown as SiteConfig
}

/** For a site that places nothing. */
const noOtherSite: AnySite = {
  begin: async () => {
    throw new FogbowError('invalid_parameter', 'provider: there is no placement here')
  },
  moveOn: async (_placed, { message }) => ({ to: 'nowhere', message, considered: [] }),
}

export async function openOperationsBench(): Promise<OperationsBench> {
  const store = await openSqliteStore(':memory:')
  const log = pino({ level: 'silent' })
  const cloud = new ModelCloud()
  const cloudPlugin = standInPlugin('cloud', cloudMethods(cloud))
  const aaaPlugin = standInPlugin('aaa', aaaMethods(siteId))
  const plugins = standInPlugins(cloudPlugin, aaaPlugin)
  const config = benchConfig(siteId, ['site-b'])
  const audit = createAudit(store, log)
  const now = Date.now
  const revocations = await loadRevocations(store, now)
  const aaa = createAaaPipeline({ plugins, config: () => config, revocations, now })
  const clouds = createLocalClouds({
    config: () => config,
    plugins,
    aaa,
    instanceIdOf: async (id) => (await findOrder(store.db, id))?.instanceId ?? undefined,
  })
  const engine = createEngine({
    store,
    connector: clouds,
    timing: () => config.orders,
    concurrency: () => 16,
    clock: systemClock,
    log,
  })
  await engine.start()
  const bench: OperationsBench = {
    operations: createOperations({
      marketplace: noMarketplace,
      aaa,
      audit,
      elsewhere: createLoginsElsewhere({ plugins, pending: createPendingLogins(store, now) }),
      store,
      engine,
      clouds,
      plugins,
      providers: createProviders(
        clouds,
        noRemoteProviders(() => config.members.list),
        {
          siteId: () => siteId,
          targets: () => config.members.targets,
        },
      ),
      anySite: noOtherSite,
      config: () => config,
      dataDir: () => '/nowhere',
      reload: async () => {
        bench.reloads += 1
      },
      now,
      version: '0.1.0',
      startedAt: 0,
      publicKey: 'AAAA',
      logIns: createLogIns({
        aaa,
        limits: createLogInLimits(store, now, () => 0),
        records: createLogInRecords(store, log),
        config: () => config,
        clock: systemClock,
      }),
    }),
    store,
    cloud,
    cloudPlugin,
    aaaPlugin,
    config,
    reloads: 0,
    as: (user, more = {}) => ({
      requestId: 'request-1',
      tokenValue: user,
      requester: siteId,
      signal: new AbortController().signal,
      ...more,
    }),
    settle: () => settled(store),
    async close() {
      await audit.flush()
      await engine.stop()
      await store.close()
    },
  }
  return bench
}

const restless = ['OPEN', 'SELECTED', 'SPAWNING', 'PAUSING', 'RESUMING', 'ASSIGNED_FOR_DELETION']

async function settled(store: Store): Promise<void> {
  for (;;) {
    const moving = await store.db
      .selectFrom('orders')
      .select('id')
      .where('state', 'in', [...restless, 'CHECKING_DELETION'])
      .where('next_due', '<', Date.now() + 60_000)
      .executeTakeFirst()
    if (!moving) return
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
