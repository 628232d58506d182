import { readFile } from 'node:fs/promises'
import { asFogbowError, FogbowError } from '@fogbow/plugin-sdk'
import { type LoadedConfig, loadConfig, readSecret, resolveReference } from '../../config/index.ts'
import {
  createNames,
  examineFederation,
  type Finding,
  readHosts,
  reportStandingAlone,
  type SiteReport,
} from '../../federation/doctor/index.ts'
import type { FederationSettings } from '../../federation/index.ts'
import { fieldsOf, RefusedError, type SiteClient, UnreachableError } from '../site-client.ts'

export interface Examination {
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly dataDir?: string
  /** Files: PEM of the federation's authority, names that are in no DNS. */
  readonly authority?: string
  readonly hosts?: string
  /** Addresses of DNS servers to ask. */
  readonly resolvers?: readonly string[]
  /** The site where the user is logged in. */
  readonly site: SiteClient
  readonly now: () => number
}

/** Everything that can be looked at from this machine, as findings in their order. */
export async function* examine(how: Examination): AsyncGenerator<Finding> {
  const { env, cwd, dataDir } = how
  let loaded: LoadedConfig
  try {
    loaded = await loadConfig(dataDir === undefined ? { env, cwd } : { env, cwd, dataDir })
  } catch (error) {
    yield wrong('fogbow.config', asFogbowError(error).message, 'correct the configuration')
    return
  }
  const { federation, site } = loaded.config
  if (!federation) {
    yield wrong(
      loaded.file,
      'it has no section federation: the site is alone',
      'run fogbow federation init, and take over the sections that it writes',
    )
    return
  }
  let secret: string
  try {
    const reference = resolveReference(federation.xmpp.secret, loaded)
    secret = await readSecret(reference, 'federation.xmpp.secret', env)
  } catch (error) {
    const advice = 'fogbow federation init makes the secret; both sides need the same'
    yield wrong(loaded.file, asFogbowError(error).message, advice)
    return
  }
  yield* judgeConfiguration(loaded)
  const settings: FederationSettings = { ...federation, members: loaded.config.members.list }
  const { host, port } = federation.xmpp
  const authority = how.authority && (await readFile(how.authority, 'utf8'))
  yield* examineFederation({
    siteId: site.id,
    xmpp: { host, port },
    members: settings.members,
    names: createNames({
      ...(how.hosts && { hosts: readHosts(await readFile(how.hosts, 'utf8')) }),
      ...(how.resolvers && { servers: how.resolvers }),
    }),
    authority: authority || undefined,
    now: how.now,
    report: async () =>
      (await askSite(how.site, site.id)) ??
      (await reportStandingAlone({
        ...{ siteId: site.id, xmpp: { host, port, secret }, settings },
        dataDir: loaded.dataDir,
      })) ?? {
        missing: 'the site runs and holds the link, so this was not looked at',
        advice: 'log in as an administrator, and it is asked: fogbow login',
      },
  })
}

function* judgeConfiguration({ file, config }: LoadedConfig): Generator<Finding> {
  const { federation, members, site } = config
  const base = { check: 'configuration', about: file } as const
  const others = members.list.filter((id) => id !== site.id)
  const strangers = Object.keys(federation?.peers ?? {}).filter((id) => !others.includes(id))
  if (federation?.enabled === false)
    yield {
      ...base,
      verdict: 'warning',
      found: 'federation.enabled is false: nothing is connected',
    }
  const isListed = members.rendezvous.length === 0
  if (isListed && strangers.length > 0)
    yield {
      ...base,
      verdict: 'warning',
      found: `federation.peers names ${strangers.join(', ')}, not in members.list`,
      advice: 'add them there, or compare how the ids are spelt',
    }
  if (isListed && others.length === 0)
    yield {
      ...base,
      verdict: 'warning',
      found: 'members.list names nobody, and there is no rendezvous',
      advice: 'add the ids of the other members',
    }
  yield {
    ...base,
    verdict: 'ok',
    found: `site ${site.id}, members: ${others.join(', ') || 'none'}`,
  }
}

const FEDERATION = '/ras/admin/federation'

/** @returns undefined when the user is not logged in at this very site, or it does not answer */
async function askSite(site: SiteClient, id: string): Promise<SiteReport | undefined> {
  if (!site.loggedIn) return undefined
  try {
    const view = fieldsOf(await site.send({ path: '/site.json', open: true }))
    if (view.id !== id) return undefined
    return fieldsOf<SiteReport>(await site.send({ path: FEDERATION }))
  } catch (error) {
    if (error instanceof UnreachableError) return undefined
    if (error instanceof RefusedError && error.status !== 404 && error.status !== 501)
      throw new FogbowError('unauthorized', `${site.url}: ${error.message}`, { cause: error })
    if (error instanceof RefusedError) return undefined
    throw error
  }
}

function wrong(about: string, found: string, advice: string): Finding {
  return { check: 'configuration', about, verdict: 'fault', found, advice }
}
