import { realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { InstalledPlugin, TrustLevel } from '@fogbow/registry'
import { type IsolationLevel, isolationLevels } from '@fogbow/sandbox'
import type { PluginConfig, SiteConfig } from '../config/index.ts'
import type { Move } from './moved-plugins.ts'
import type { MachineIsolation } from './tiers.ts'

/** How a plugin is to be isolated, and why so. */
export interface IsolationChoice {
  /** What it is meant to have; a machine may give more. */
  wanted: IsolationLevel
  /** What it gets at its start. */
  level: IsolationLevel
  minimum: IsolationLevel
  /** In words for the administrator. */
  why: string
  /** What this machine lacks for a stronger isolation; empty when nobody had to look. */
  missing: readonly string[]
  /** Set when it would have had a thread, if an earlier one could have been stopped. */
  moved?: Move
  /** It got less than it was meant to have. */
  warning?: string
}

export interface IsolationQuestion {
  /** Its name in the configuration. */
  name: string
  installed: Pick<InstalledPlugin, 'name' | 'hash' | 'source' | 'sourceKind'> & {
    /** As it was judged when it was installed. */
    trust?: { level: TrustLevel; publisher?: string }
  }
  config: Pick<PluginConfig, 'isolation'>
  site: Pick<SiteConfig, 'minimumIsolation' | 'isolation'>
  /** Folder of the plugins that come with the site. */
  officialFolder: string
  /** Looks at what this machine gives beside threads; asked only when that matters. */
  machine(): Promise<MachineIsolation>
  move: Move | undefined
}

/**
 * Threads for what comes with the site or was reviewed, processes for what strangers wrote; the configuration may say
 * otherwise, and nothing goes below its minimum.
 * @throws configuration_error naming the key, and what this machine lacks
 */
export async function chooseIsolation(question: IsolationQuestion): Promise<IsolationChoice> {
  const { name, config, site, move } = question
  const minimum = site.minimumIsolation
  const own = config.isolation
  if (own && isWeaker(own, minimum)) {
    const problem = `'${own}' is weaker than minimumIsolation, which is '${minimum}'`
    throw wrong(`plugins.${name}.isolation`, problem)
  }
  const { usual, why: reason } = own
    ? { usual: own, why: `plugins.${name}.isolation says so` }
    : await usualIsolation(question)
  const wanted = isWeaker(usual, minimum) ? minimum : usual
  const why = wanted === usual ? reason : `minimumIsolation is '${minimum}'`
  const choice = { wanted, minimum, why, missing: [] }
  if (wanted === 'worker' && !move) return { ...choice, level: 'worker' }

  const machine = await question.machine()
  const { level, missing } = machine
  const required = own ?? minimum
  if (isWeaker(level, required)) throw unreachable(question, required, machine)
  const moved = wanted === 'worker' && move ? { moved: move } : {}
  if (!isWeaker(level, wanted)) return { ...choice, level, missing, ...moved }
  const warning = `It runs in '${level}' and should run in '${wanted}': ${missing.join('; ')}`
  return { ...choice, level, missing, warning, ...moved }
}

/** By where the code came from, who answers for it and by its hash: a name proves nothing. */
async function usualIsolation(
  question: IsolationQuestion,
): Promise<{ usual: IsolationLevel; why: string }> {
  const { installed, site, officialFolder } = question
  if (await liesIn(installed, officialFolder))
    return { usual: 'worker', why: 'it comes with the site' }
  const { reviewed } = site.isolation
  const hash = Object.hasOwn(reviewed, installed.name) ? reviewed[installed.name] : undefined
  if (hash === installed.hash) return { usual: 'worker', why: 'its bundle was reviewed' }
  const { level, publisher } = installed.trust ?? {}
  if (publisher !== undefined && (level === 'official' || level === 'verified'))
    return { usual: 'worker', why: `publisher '${publisher}' answers for it (${level})` }
  const why = hash
    ? `its bundle is not the one that was reviewed; it is ${installed.hash} now`
    : 'nobody has reviewed its bundle'
  return { usual: 'process', why }
}

async function liesIn(
  { source, sourceKind }: IsolationQuestion['installed'],
  folder: string,
): Promise<boolean> {
  if (sourceKind !== 'folder') return false
  const [real, official] = await Promise.all(
    [source, folder].map((path) => realpath(path).catch(() => undefined)),
  )
  return real !== undefined && official !== undefined && real.startsWith(official + sep)
}

export function isWeaker(level: IsolationLevel, than: IsolationLevel): boolean {
  return isolationLevels.indexOf(level) < isolationLevels.indexOf(than)
}

function unreachable(
  { name, config }: IsolationQuestion,
  required: IsolationLevel,
  { level, missing }: MachineIsolation,
): FogbowError {
  const key = config.isolation ? `plugins.${name}.isolation` : 'minimumIsolation'
  const lack = missing.length > 0 ? `; missing: ${missing.join('; ')}` : ''
  const problem = `plugin '${name}' can only be isolated as '${level}' here, not as '${required}'${lack}`
  return wrong(key, problem)
}

function wrong(key: string, problem: string): FogbowError {
  return new FogbowError('configuration_error', `${key}: ${problem}`, { details: { field: key } })
}
