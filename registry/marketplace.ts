import type { PluginManifest } from '@fogbow/plugin-sdk'
import type { Bundle } from '@fogbow/sandbox'
import type { InstalledPlugin } from './registry.ts'

/** How far a package is trusted, best first; decides its sandbox (`docs/adr/0008-how-plugins-come-and-go.md`). */
export const trustLevels = ['official', 'verified', 'community', 'local'] as const
export type TrustLevel = (typeof trustLevels)[number]

/** One thing that was looked at before a package may run. */
export interface Check {
  /** Stable name, such as `integrity`, `registry-signature`, `provenance`, `publisher`, `minimum-age`, `revocation`. */
  rule: string
  /** `absent`: there is no evidence; `unneeded`: the policy does not ask for it here. */
  outcome: 'passed' | 'warning' | 'failed' | 'absent' | 'unneeded'
  /** One sentence for the administrator. */
  message: string
  /** What to do; with every outcome that refuses. */
  remedy?: string
}

/** What the policy says of one version of a package. */
export interface Verdict {
  level: TrustLevel
  /** Name of the publisher of the policy who answers for it. */
  publisher?: string
  checks: Check[]
  /** Those of `checks` because of which it may not be installed; empty: it may. */
  refusals: Check[]
}

/** A dependency that is part of a plugin's bundle. */
export interface Component {
  name: string
  version: string
  license: string
  /** Of its tarball, as its registry states it; absent where it was packed along. */
  integrity?: string
}

/** A known weakness of a version. */
export interface Advisory {
  id: string
  package: string
  severity: 'low' | 'moderate' | 'high' | 'critical'
  title: string
  /** Where to read more. */
  url?: string
  /** Versions that have it, semver range. */
  range: string
}

// --- find -----------------------------------------------------------------------------------------------------------

export interface SearchQuery {
  text?: string
  /** Only those that offer this plugin kind. */
  kind?: string
  /** Only in this source; absent: everywhere. */
  source?: string
  limit?: number
  /** Of the page before. */
  cursor?: string
}

export interface FoundPlugin {
  name: string
  description: string
  kinds: string[]
  /** The newest version that suits this site; absent: none does. */
  version?: string
  /** The newest of all, where that is another one. */
  newest?: string
  /** Why `newest` does not suit. */
  unsuitable?: string
  license: string
  publishedAt?: string
  /** Name of the registry or catalogue. */
  source: string
  publisher?: string
  /** As the catalogue's curator found it; absent where nobody looked. */
  vetting?: 'passed' | 'failed'
  installed?: string
  /** Set when it looks like the name of another, better-known package. */
  resembles?: string
  deprecated?: { reason: string; successor?: string }
}

export interface SearchResult {
  items: FoundPlugin[]
  next?: string
  /** Sources that did not answer; what the others know is shown all the same. */
  problems: { source: string; problem: string }[]
}

/** Everything to be read before a decision. */
export interface PluginAbout extends FoundPlugin {
  /** Newest first. */
  versions: { version: string; sdk: string; suits: boolean; publishedAt?: string }[]
  manifest: PluginManifest
  readme: string
  changelog: string
  /** Of the unpacked package, bytes. */
  size?: number
  advisories: Advisory[]
  screenshots: { url: string; caption: string }[]
  homepage?: string
}

// --- plan, accept, apply --------------------------------------------------------------------------------------------

/** Settings of one plugin instance that were made through the marketplace; the configuration file goes before them. */
export interface InstanceSettings {
  package?: string
  config?: Record<string, unknown>
  /** Secret → reference, `env:NAME` or `file:path`; never a secret itself. */
  secrets?: Record<string, string>
  grants?: Record<string, unknown>
  limits?: Record<string, number>
}

export type ChangeRequest =
  /**
   * @param source - absolute folder, tarball or bundle file (`<file>#<name>` where it holds several packages), npm
   * specifier; also for another version of what is installed
   * @param settings - by plugin instance; those that the new version needs change together with it
   */
  | {
      action: 'install'
      source: string
      registry?: string
      settings?: Record<string, InstanceSettings>
    }
  /** To the newest version that suits and that policy and age let in; of all packages when none is named. */
  | { action: 'upgrade'; package?: string; settings?: Record<string, InstanceSettings> }
  | { action: 'remove'; package: string }
  | { action: 'rollback'; generation: number }
  | { action: 'configure'; instance: string; settings: InstanceSettings | null }

export interface Actor {
  /** User id, or the operating system's account for the command line on this machine. */
  id: string
  /** Why; kept with the generation. */
  reason?: string
}

/** How the settings of one plugin instance, of configuration file and marketplace together, suit a version. */
export interface SettingsCheck {
  instance: string
  /** Keys that it requires and that are not set. */
  missing: string[]
  /** Secrets that it asks for and that have no reference; it may do without some of them. */
  secrets: string[]
  /** Keys that it does not know any more. */
  unknown: string[]
  /** What its vendor says of the keys that are missing. */
  descriptions: Record<string, string>
  /** Why it would not start with them. */
  problem?: string
}

/** What one package would change from and to. */
export interface PackageChange {
  package: string
  from?: LockedPlugin
  to?: LockedPlugin
  verdict?: Verdict
  capabilities: { added: string[]; dropped: string[] }
  components: { added: Component[]; removed: Component[]; changed: [Component, Component][] }
  settings: SettingsCheck[]
  advisories: Advisory[]
  license: { from?: string; to?: string }
  /** Plugin kinds and methods no longer offered. */
  offered: { added: string[]; dropped: string[] }
}

/** A change that is worked out and waits. Nothing that runs has changed. */
export interface Plan {
  /** Hash of what it says: what was accepted cannot be exchanged. */
  id: string
  request: ChangeRequest
  /** Generation that it was made for; on any other it is refused. */
  base: number
  createdAt: string
  createdBy: Actor
  changes: PackageChange[]
  settings: Record<string, InstanceSettings | null>
  /**
   * What has to be accepted by name, such as `capability network https://api.example:443`, `license GPL-3.0-only`,
   * `level community`, `registry internal → npm`, `downgrade 1.2.0 → 1.1.0`; with `<package>: ` before it where the plan
   * changes several packages; empty: nothing needs more rights than before.
   */
  needsAcceptance: string[]
  /** Sentences because of which it cannot be applied; empty: it can. */
  refusals: string[]
  /** What is worth knowing and hinders nothing: versions left out and why, install scripts that do not run. */
  notes: string[]
}

/** A package of the lock file: what was installed, and why it was believed. */
export interface LockedPlugin extends InstalledPlugin {
  trust: { level: TrustLevel; publisher?: string; checks: Check[] }
  /** Who let it in, and with which rights. */
  accepted: { by: string; at: string; rights: string[] }
  components: Component[]
}

export interface Generation {
  number: number
  at: string
  by: Actor
  /** What made it, in words: `install @vendor/x@1.2.0`, `rollback to 4`. */
  change: string
  /** Id of the plan that it was; absent where there was none, such as a folder that was built anew. */
  plan?: string
  plugins: LockedPlugin[]
  settings: Record<string, InstanceSettings>
  /** Set when its file is damaged: nothing else is known of it, and nobody can go back to it. */
  problem?: string
}

/** The difference between two of the truths, and what to do about it. */
export interface Drift {
  kind:
    | 'not installed'
    | 'not used'
    | 'other version runs'
    | 'overridden setting'
    | 'damaged bundle'
    | 'damaged generation'
    | 'revoked'
    | 'policy changed'
    | 'newer version'
    | 'nobody asked'
  /** Package, or plugin instance. */
  subject: string
  message: string
  remedy: string
}

// --- revocation -----------------------------------------------------------------------------------------------------

export const revocationActions = ['warn', 'stop-new-orders', 'stop'] as const
export type RevocationAction = (typeof revocationActions)[number]

export interface Revocation {
  package: string
  /** semver range */
  versions: string
  /** Only this bundle; absent: whatever has such a version. */
  hash?: string
  action: RevocationAction
  reason: string
  url?: string
  since: string
}

/** A revocation that this site heeds, and who said so. */
export interface HeededRevocation extends Revocation {
  /** Name of the list, `member:<id>`, or `this site`. */
  source: string
}

// --- signed documents -----------------------------------------------------------------------------------------------

/**
 * A document of a publisher, catalogue or revocation list: signatures are Ed25519 over the canonical JSON (RFC 8785) of
 * `signed`. `sequence` only grows; a smaller one than was seen before, and one past its end, is refused.
 */
export interface SignedDocument<Content extends object> {
  signed: Content & { type: string; issuedAt: string; expiresAt: string; sequence: number }
  signatures: { keyId: string; signature: string }[]
}

/** A package inside a bundle file. */
export interface CarriedPackage {
  name: string
  version: string
  integrity: string
  /** Name of the registry it came from, as the site that wrote the file called it. */
  registry?: string
  /** What `install` takes. */
  source: string
  dependencies: Component[]
}

/** The marketplace of one site: find, judge, plan, apply, go back. Every failure is a `FogbowError` that names the package. */
export interface Marketplace {
  search(query: SearchQuery): Promise<SearchResult>
  /** @throws not_found when no source has it */
  about(name: string, options?: { version?: string; source?: string }): Promise<PluginAbout>

  /** Works a change out and keeps the plan; changes nothing that runs. A refused change is a plan with `refusals`. */
  plan(request: ChangeRequest, by: Actor): Promise<Plan>
  plans(): Promise<Plan[]>
  /** @throws not_found */
  findPlan(id: string): Promise<Plan>
  discardPlan(id: string): Promise<void>
  /**
   * Judges once more, then makes the plan the present generation; a plan that is that already is answered with it.
   * @param accepted - must hold all that the plan needs to have accepted
   * @param ready - does what must have succeeded before the commit point, such as starting the new version; throws to
   * refuse. Also after it succeeded the commit can fail, then `apply` throws and what it started has to go
   * @throws unacceptable_operation when the present generation is another than that of the plan, or it has refusals;
   * unauthorized naming what is not accepted; not_found when there is no such plan, or no more
   */
  apply(
    id: string,
    accepted: readonly string[],
    by: Actor,
    ready?: (plan: Plan) => Promise<void>,
  ): Promise<Generation>

  /**
   * What is missing in the settings of a plugin instance, for the version that is installed.
   * @throws not_found when neither configuration file nor marketplace know it; unacceptable_operation when it is not installed
   */
  checkSettings(instance: string): Promise<SettingsCheck>

  current(): Promise<Generation>
  /** Newest first; those that are kept, with a `problem` where one of them is damaged. */
  generations(): Promise<Generation[]>
  /**
   * Of the files alone; what runs is the site's to compare.
   * @param refresh - asks registries for newer versions; without it only what is known already is told, at once
   */
  drift(options?: { refresh?: boolean }): Promise<Drift[]>
  /**
   * The bytes of a plugin of any kept generation or waiting plan, checked against its hash.
   * @throws configuration_error when they are missing or changed
   */
  bundleOf(plugin: Pick<InstalledPlugin, 'name' | 'version' | 'hash' | 'source'>): Promise<Bundle>

  /**
   * Writes packages, all that they depend on and their evidence into one file for sites without a network.
   * @param packages - npm specifiers
   */
  exportBundle(packages: readonly string[], file: string): Promise<CarriedPackage[]>
  /** Reads and checks a file of `exportBundle`. @returns what it holds, and how to name it to `install` */
  importBundle(file: string): Promise<CarriedPackage[]>

  /** Revocations that this site heeds, of its lists and of members that it believes. */
  revocations(): Promise<HeededRevocation[]>
  /** Reads catalogues and lists again, as far as they can be reached. @returns what could not be had */
  refresh(): Promise<{ source: string; problem: string }[]>
}
