import { mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FogbowError, sdkVersion } from '@fogbow/plugin-sdk'
import { createRegistry } from '@fogbow/registry'
import {
  defaultLimits,
  detectIsolation,
  processLauncher,
  withSpares,
  workerLauncher,
} from '@fogbow/sandbox'
import { createVendorSchemas } from '@fogbow/sandbox/gate'
import type { Logger } from 'pino'
import {
  createAaaPipeline,
  createAudit,
  createLogInLimits,
  createLogInRecords,
  createLogIns,
  createLoginsElsewhere,
  createPendingLogins,
  loadRevocations,
} from './aaa/index.ts'
import { createLocalClouds } from './clouds/index.ts'
import {
  type ConfigSource,
  identitySources,
  type LoadedConfig,
  loadConfig,
  readSecret,
  resolveReference,
  sourceKey,
  sourceSlots,
} from './config/index.ts'
import type { SiteFederation } from './federation/open-federation.ts'
import {
  askOfPlugins,
  createSharedTrust,
  type ToldOfPlugins,
} from './federation/shared-trust/shared-trust.ts'
import { createHttpEdge, type Listening } from './http/index.ts'
import { openSiteKey } from './identity/site-keys.ts'
import { openSiteMarketplace, refuseDropped, type SiteMarketplace } from './marketplace/index.ts'
import {
  createOperations,
  createProviders,
  createSiteAnySite,
  noRemoteProviders,
  placingElsewhere,
} from './operations/index.ts'
import {
  countByState,
  createEngine,
  type Engine,
  findOrder,
  systemClock,
  unreachableMembers,
} from './orders/index.ts'

import {
  createPluginHost,
  createTiers,
  type LivePlugin,
  type PluginHost,
  type Tiers,
} from './plugins/index.ts'
import { openSqliteStore, type Store } from './store/index.ts'
import { startRetention } from './store/retention.ts'
import { createMetrics } from './telemetry/index.ts'

export interface Site {
  id: string
  /** Where it listens. */
  url: string
  /** Finishes what is under way, makes everything durable, and ends. */
  stop(): Promise<void>
}

const DEFAULT_CONCURRENCY = 64
/** How long a stop waits for clouds to answer; what they were asked is taken up again at the next start. */
const STOP_PATIENCE_MS = 5000
/** Plugins that come with the site; only what lies here is official. */
const officialFolder = fileURLToPath(new URL('../plugins-official', import.meta.url))
/**
 * Puts a site together and starts it. The one place that knows every part.
 * @param prepare - what else has to be in the data directory; runs once it is sure that no other site uses it
 * @throws configuration_error in one or two lines, with everything that was started stopped again
 */
export async function startSite(
  loaded: LoadedConfig,
  source: ConfigSource,
  log: Logger,
  prepare: () => Promise<void> = async () => {},
): Promise<Site> {
  const undo: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const listening = await assemble(loaded, source, log, prepare, undo)
    return { id: loaded.config.site.id, url: listening.url, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function assemble(
  loaded: LoadedConfig,
  source: ConfigSource,
  log: Logger,
  prepare: () => Promise<void>,
  undo: (() => Promise<void>)[],
): Promise<Listening> {
  let current = loaded
  const config = () => current.config
  const dataDir = loaded.dataDir
  const startedAt = Date.now()
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const siteKey = openSiteKey(dataDir)
  siteKey.catch(() => {})

  const schemas = createVendorSchemas()
  undo.push(() => schemas.close())
  schemas.prepare()
  const store = await openSqliteStore(join(dataDir, 'site.db'))
  undo.push(() => store.close())
  await prepare()
  const metrics = createMetrics()
  const audit = createAudit(store, log)
  undo.push(() => audit.flush())

  const registry = createRegistry({
    directory: join(dataDir, 'plugins'),
    sdkVersion,
    schemas,
    officialFolder,
  })
  const tiers = openTiers(join(dataDir, 'cache'), () => config().isolation.spares)
  undo.push(() => tiers.close())
  let marketplace: SiteMarketplace | undefined
  const plugins = createPluginHost({
    registry,
    store,
    log,
    tiers,
    schemas,
    officialFolder,
    observer: metrics.plugins,
    readSecret: (reference, key) => readSecret(reference, key, source.env),
    now: Date.now,
    drainMs: () => config().marketplace.drainMs,
    onHealth: (name, bundleHash, health) => marketplace?.onHealth(name, bundleHash, health),
  })
  undo.push(() => plugins.stop())
  await plugins.apply(current)
  checkAaa(current, plugins)

  const revocations = await loadRevocations(store, Date.now)
  const aaa = createAaaPipeline({ plugins, config, revocations, now: Date.now })
  const clouds = createLocalClouds({
    config,
    plugins,
    aaa,
    instanceIdOf: async (orderId) => (await findOrder(store.db, orderId))?.instanceId ?? undefined,
  })
  const siteId = () => config().site.id
  const federation = await openFederation(
    () => current,
    source,
    store,
    log,
    () => (marketplace ? marketplace.tell() : Promise.resolve({ revocations: [], vetted: [] })),
  )
  const listed = () => config().members.list.filter((member) => member !== siteId())
  const remote = federation?.allocation.providers ?? noRemoteProviders(listed)
  const targets = () => config().members.targets
  const providers = createProviders(clouds, remote, { siteId, targets })
  const sites = () => federation?.federation.members() ?? [aloneAt(siteId())]
  const clock = systemClock
  const anySite = createSiteAnySite({
    aaa,
    clouds,
    store,
    plugins,
    providers,
    sites,
    config,
    clock,
  })
  const engine = createEngine({
    store,
    connector: clouds,
    members: { siteId, connector: federation?.allocation.orders ?? unreachableMembers() },
    placeElsewhere: placingElsewhere(anySite),
    timing: () => current.config.orders,
    concurrency: ({ provider, cloudName }) =>
      provider === siteId()
        ? (config().clouds[cloudName]?.concurrency ?? DEFAULT_CONCURRENCY)
        : (config().federation?.concurrency ?? DEFAULT_CONCURRENCY),
    clock,
    log,
    onTransition(before, after) {
      const lastedMs = after.stateSince - before.stateSince
      metrics.observeTransition(after.kind, after.cloudName, after.state, lastedMs)
      federation?.allocation.changed(after)
    },
    onDelegation: (order) => federation?.allocation.changed(order),
  })
  undo.push(() => stopWork(engine, plugins, federation))

  const market = await openSiteMarketplace({
    loaded: () => current,
    source,
    schemas,
    readSecret: (reference, key) => readSecret(reference, key, source.env),
    officialFolder,
    plugins,
    store,
    ...(federation && {
      askMember: (member: string) => askOfPlugins(federation.federation, member),
    }),
    adopt(next) {
      current = next
      aaa.forget()
    },
    log,
  })
  marketplace = market
  undo.push(() => market.stop())
  // Before anybody is served: what was revoked while the site was away does not run again.
  await market.enforce()

  async function reload(): Promise<void> {
    const next = await loadConfig(source)
    if (next.config.site.id !== config().site.id) {
      throw new FogbowError(
        'configuration_error',
        `${next.file}: site.id cannot be changed while the site runs`,
      )
    }
    assertSameServer(current, next)
    await refuseDropped(store, config(), next.config)
    const useRegistries = await market.prepareRegistries(next)
    await plugins.apply(next)
    current = next
    useRegistries()
    aaa.forget()
    await market.enforce()
    federation?.refresh()
    log.info({ file: next.file }, 'configuration was read again')
  }

  const logIns = createLogIns({
    aaa,
    limits: createLogInLimits(store, Date.now, () => config().http.failedLoginsPerMinute),
    records: createLogInRecords(store, log),
    config,
    clock,
    onLogIn: metrics.observeLogIn,
  })
  const operations = createOperations({
    aaa,
    audit,
    elsewhere: createLoginsElsewhere({ plugins, pending: createPendingLogins(store, Date.now) }),
    logIns,
    store,
    engine,
    clouds,
    plugins,
    providers,
    anySite,
    marketplace: market,
    config,
    dataDir: () => dataDir,
    reload,
    examineFederation: federation?.federation.examine,
    now: Date.now,
    version: sdkVersion,
    startedAt,
    publicKey: await siteKey,
  })
  metrics.collect(async () => ({
    orders: await countByState(store.db),
    plugins: plugins.list().map((plugin) => ({
      name: plugin.name,
      state: plugin.health().state,
      level: plugin.health().level,
      isMoved: plugin.isolation?.moved !== undefined,
      stats: plugin.stats(),
    })),
    zombies: tiers.zombies,
    ...(federation && { federation: federation.figures() }),
  }))
  undo.push(startRetention(store, config, log))

  const edge = createHttpEdge({
    operations,
    config: config().http,
    log,
    clock: { now: Date.now },
    metrics,
    isReady: () => readiness(current, plugins),
  })
  await federation?.start({ operations, engine })
  await engine.start()
  const listening = await edge.listen(config().http.port, config().http.host)
  undo.push(() => edge.close())
  tiers.keepSpares()
  await market.start()
  return listening
}

function openTiers(cacheDir: string, spares: () => number): Tiers {
  return createTiers({
    worker: workerLauncher({ cacheDir }),
    createProcess: (isolation) => processLauncher({ cacheDir, isolation }),
    detect: detectIsolation,
    withSpares: (launcher) =>
      spares() === 0 ? launcher : withSpares(launcher, { count: spares(), limits: defaultLimits }),
    platform: process.platform,
    cores: availableParallelism(),
  })
}

/** How a site sees itself that sees no others. */
function aloneAt(id: string) {
  return { id, local: true, liveness: 'alive' } as const
}

/** A site that trades with nobody does not even load what it takes. */
async function openFederation(
  loaded: () => LoadedConfig,
  source: ConfigSource,
  store: Store,
  log: Logger,
  tellOfPlugins: () => Promise<ToldOfPlugins>,
): Promise<SiteFederation | undefined> {
  const { federation } = loaded().config
  if (!federation?.enabled) return undefined
  const reference = resolveReference(federation.xmpp.secret, loaded())
  const secret = await readSecret(reference, 'federation.xmpp.secret', source.env)
  const trading = await import('./federation/open-federation.ts')
  const services = [createSharedTrust(tellOfPlugins)]
  const { dataDir } = loaded()
  const config = () => loaded().config
  return trading.openFederation({
    config,
    secret,
    dataDir,
    store,
    clock: systemClock,
    log,
    services,
  })
}

/** @throws configuration_error when the connection of the site itself would have to be another one */
function assertSameServer(current: LoadedConfig, next: LoadedConfig): void {
  const serverOf = ({ config: { federation } }: LoadedConfig) =>
    JSON.stringify(federation?.enabled ? federation.xmpp : null)
  if (serverOf(current) === serverOf(next)) return
  throw new FogbowError(
    'configuration_error',
    `${next.file}: federation.enabled and federation.xmpp cannot be changed while the site runs; restart it`,
  )
}

/** Lets orders finish what is under way; what takes longer ends with its plugin, and the order notes that. */
async function stopWork(
  engine: Engine,
  plugins: PluginHost,
  federation: SiteFederation | undefined,
): Promise<void> {
  const patience = new Promise((resolve) => setTimeout(resolve, STOP_PATIENCE_MS).unref())
  await Promise.race([engine.stop(), patience])
  await federation?.stop()
  await plugins.stop()
  await engine.stop()
}

/** A site whose users cannot be told apart must not run at all. */
function checkAaa(loaded: LoadedConfig, plugins: PluginHost): void {
  const { config, file } = loaded
  const check = (name: string, kind: string, key: string) => {
    const plugin = plugins.get(name)
    const { state, reason } = plugin.health()
    const problem =
      state !== 'ready'
        ? (reason?.message ?? `plugin '${plugin.name}' is ${state}`)
        : `plugin '${plugin.name}' (${plugin.packageName}) offers ${plugin.kinds.join(', ')} and no ${kind}`
    if (state === 'ready' && plugin.kinds.includes(kind)) return
    throw new FogbowError('configuration_error', `${file}: ${key}: ${problem}`)
  }
  for (const source of identitySources(config))
    for (const slot of sourceSlots) check(source[slot], slot, sourceKey(config, source.name, slot))
  check(config.aaa.authorization, 'authorization', 'aaa.authorization')
}

/** Nobody can be served without authorization, or when no source at all can tell who somebody is. */
function readiness(
  { config }: LoadedConfig,
  plugins: PluginHost,
): { ready: boolean; reasons: string[] } {
  const ailing = plugins.list().filter((plugin) => plugin.health().state !== 'ready')
  const isAiling = (name: string) => ailing.some((plugin) => plugin.name === name)
  const alarm = plugins.alarm()
  return {
    ready:
      !isAiling(config.aaa.authorization) &&
      identitySources(config).some((source) => !sourceSlots.some((slot) => isAiling(source[slot]))),
    reasons: [...(alarm ? [alarm] : []), ...ailing.map(describe)],
  }
}

function describe(plugin: LivePlugin): string {
  const { state, reason } = plugin.health()
  return `plugin '${plugin.name}' is ${state}${reason ? `: ${reason.message}` : ''}`
}
