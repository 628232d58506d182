import { contracts } from '../contracts/index.ts'
import { orderedKinds } from '../resources/index.ts'
import type { PluginCaller } from './caller.ts'
import { authenticationCases } from './cases/authentication.ts'
import { authorizationCases } from './cases/authorization.ts'
import { federationIdentityCases } from './cases/federation-identity.ts'
import { healthCases } from './cases/health.ts'
import { loginPluginCases } from './cases/login-plugin.ts'
import { federationToLocalMapperCases } from './cases/mapper.ts'
import { offerCases } from './cases/offer.ts'
import { orderedCases } from './cases/ordered.ts'
import { placementCases } from './cases/placement.ts'
import { powerCases, snapshotCases } from './cases/power.ts'
import { imageCases, quotaCases, specCases } from './cases/queried.ts'
import { securityRuleCases } from './cases/security-rule.ts'
import { tokenGeneratorCases } from './cases/token-generator.ts'
import type { Samples } from './samples.ts'
import { createTrial, type Trial } from './trial.ts'

export interface ConformanceOptions {
  /** Values that the kit cannot invent, such as the id of an image. */
  samples?: Samples
  /** Kinds to be tested; those of which the plugin offers a method when absent. */
  kinds?: readonly string[]
  /**
   * Stops the plugin and starts it anew over the same storage. Without it, what must survive a restart is not tested.
   */
  restart?: () => Promise<PluginCaller>
  /** Moves the plugin's clock on. Without it, expiry is not tested, and waiting is done in real time. */
  advance?: (ms: number) => Promise<void>
  /** Longest time for an instance to become ready, or to go, ms of the plugin's clock. */
  patienceMs?: number
}

/** One thing that a plugin must do. */
export interface ConformanceCase {
  kind: string
  /** A sentence that is true of a plugin that holds its contract. */
  name: string
  /** Why it cannot be run; `run` does nothing then. */
  skip?: string
  /** @throws what is wrong, in words */
  run(): Promise<void>
}

/** Named cases of one kind, before it is known whether they can be run. */
export type CasesOf = (trial: Trial) => ConformanceCase[]

const casesByKind: Readonly<Record<string, CasesOf>> = {
  ...Object.fromEntries(
    orderedKinds.map((kind) => [
      kind.name,
      (trial: Trial) => [
        ...orderedCases(kind, trial),
        ...powerCases(kind, trial),
        ...snapshotCases(kind, trial),
      ],
    ]),
  ),
  securityRule: securityRuleCases,
  image: imageCases,
  spec: specCases,
  quota: quotaCases,
  tokenGenerator: tokenGeneratorCases,
  federationIdentity: federationIdentityCases,
  authentication: authenticationCases,
  authorization: authorizationCases,
  federationToLocalMapper: federationToLocalMapperCases,
  login: loginPluginCases,
  placement: placementCases,
  health: healthCases,
}

/**
 * Everything that a plugin must do for the kinds it offers, as cases to be run one after the other (they share the
 * plugin and its quota). The same cases run in this process and over a sandbox.
 *
 * ```ts
 * for (const { kind, name, skip, run } of conformance(caller, { samples }))
 *   test(`${kind}: ${name}`, { skip }, run)
 * ```
 */
export function conformance(
  caller: PluginCaller,
  options: ConformanceOptions = {},
): ConformanceCase[] {
  const trial = createTrial(caller, options)
  const kinds = options.kinds ?? Object.keys(contracts).filter((kind) => offersKind(caller, kind))
  return kinds.flatMap((kind) => [
    ...offerCases(kind, trial),
    ...(casesByKind[kind]?.(trial) ?? []),
  ])
}

function offersKind(caller: PluginCaller, kind: string): boolean {
  return [...caller.offered].some((method) => method.startsWith(`${kind}.`))
}
