import { contracts, manifestSchema, pluginKinds, sdkVersion } from '@fogbow/plugin-sdk'
import { joinPath, validatorFor } from '@fogbow/plugin-sdk/validate'
import { parse, satisfies, valid, validRange } from 'semver'
import { isPackageName } from '../../../fetch/package-name.ts'
import { suitsSdk, unsuitability } from '../../../verify/suits.ts'
import type { Rule } from '../rule.ts'
import type { Subject } from '../subject.ts'

/** Whether a kind is known is a rule of its own. */
const anyKind = 'health'

const kindsOf = ({ manifest }: Subject): string[] =>
  Array.isArray(manifest.kinds) ? manifest.kinds.map(String) : []

const rangeOf = ({ manifest }: Subject): string =>
  typeof manifest.sdk === 'string' && validRange(manifest.sdk) !== null ? manifest.sdk : ''

/** A version that no range should include which was written with the present SDK in mind. */
function nextIncompatible(): string {
  const { major = 0, minor = 0 } = parse(sdkVersion) ?? {}
  return major === 0 ? `0.${minor + 1}.0` : `${major + 1}.0.0`
}

export const manifestRules: readonly Rule[] = [
  {
    name: 'package-json',
    severity: 'error',
    looksAt: 'package',
    vital: true,
    reason: 'Name and version are how everybody refers to a package',
    remedy: 'Write a package.json with an npm name in lower case and a version such as 1.2.3',
    check({ fields }) {
      const problems = []
      if (!isPackageName(fields.name)) problems.push(`name '${fields.name}' is no npm name`)
      const { version } = fields
      if (typeof version !== 'string' || valid(version) !== version)
        problems.push(`version '${version}' is no version such as 1.2.3`)
      return problems
    },
  },
  {
    name: 'manifest-schema',
    severity: 'error',
    looksAt: 'package',
    vital: true,
    reason: 'A site reads nothing but the `fogbow` block before it decides',
    remedy: 'Correct the key that is named; plugin-sdk/manifest.ts says what each one holds',
    check({ fields, manifest }) {
      if (fields.fogbow === undefined) return ['package.json has no `fogbow` block']
      const isList = Array.isArray(manifest.kinds) && manifest.kinds.length > 0
      const written = isList ? { ...manifest, kinds: [anyKind] } : fields.fogbow
      const problem = validatorFor(manifestSchema)(written)
      return problem ? [`${joinPath('fogbow', problem.field)} ${problem.message}`] : []
    },
  },
  {
    name: 'known-kinds',
    severity: 'error',
    looksAt: 'package',
    vital: true,
    reason: 'A site has no use for a kind that it does not know',
    remedy: `Use some of: ${pluginKinds.join(', ')}`,
    check(subject) {
      const kinds = kindsOf(subject)
      const unknown = kinds.filter((kind) => !pluginKinds.includes(kind))
      const twice = kinds.filter((kind, index) => kinds.indexOf(kind) !== index)
      return [
        ...unknown.map((kind) => `fogbow.kinds: there is no kind '${kind}'`),
        ...twice.map((kind) => `fogbow.kinds: '${kind}' is named twice`),
      ]
    },
  },
  {
    name: 'entry-packed',
    severity: 'error',
    looksAt: 'package',
    vital: true,
    reason: 'The entry is where a site begins to bundle',
    remedy: 'Name a file inside the package, and let `files` of package.json include it',
    check({ manifest, files }) {
      const entry = typeof manifest.entry === 'string' ? manifest.entry : ''
      const path = entry.replace(/^\.\//, '')
      return files.has(path) ? [] : [`fogbow.entry '${entry}' is no file of the package`]
    },
  },
  {
    name: 'sdk-range',
    severity: 'error',
    looksAt: 'package',
    vital: true,
    reason: 'A site of this SDK would not load it',
    remedy: `Write a range that includes ${sdkVersion}, such as ^${sdkVersion}`,
    check(subject) {
      const { sdk } = subject.manifest
      if (rangeOf(subject) === '') return [`fogbow.sdk '${sdk}' is no version range`]
      return suitsSdk(rangeOf(subject), sdkVersion)
        ? []
        : [`fogbow.sdk '${sdk}' does not include ${sdkVersion}`]
    },
  },
  {
    name: 'sdk-range-bounded',
    severity: 'error',
    looksAt: 'package',
    reason: 'It promises to work with an SDK that nobody has seen yet, and will be installed there',
    remedy: `Write ^${sdkVersion} instead`,
    check(subject) {
      const range = rangeOf(subject)
      const isOpen = range !== '' && satisfies(nextIncompatible(), range)
      return isOpen ? [`fogbow.sdk '${range}' includes ${nextIncompatible()}`] : []
    },
  },
  {
    name: 'sdk-range-not-pinned',
    severity: 'warning',
    looksAt: 'package',
    reason: 'Every correction of the SDK would make sites refuse it',
    remedy: `Write ^${sdkVersion} instead`,
    check(subject) {
      const range = rangeOf(subject)
      return valid(range) === null ? [] : [`fogbow.sdk '${range}' is one version`]
    },
  },
  {
    name: 'contracts-current',
    severity: 'error',
    looksAt: 'package',
    vital: true,
    reason: 'A site refuses a plugin that was made for another version of a contract',
    remedy: 'Adapt the plugin to the present contract and write its version',
    check({ manifest }) {
      const problem = unsuitability({ contracts: manifest.contracts }, sdkVersion)
      return problem === undefined ? [] : [`fogbow.contracts: ${problem}`]
    },
  },
  {
    name: 'contracts-stated',
    severity: 'warning',
    looksAt: 'package',
    reason: 'Without it, a site finds out only by failing that a contract has changed',
    remedy: 'Write into fogbow.contracts, for each kind, the version that the plugin was made for',
    check(subject) {
      const stated = Object.keys((subject.manifest.contracts ?? {}) as object)
      const known = kindsOf(subject).filter((kind) => Object.hasOwn(contracts, kind))
      return known
        .filter((kind) => !stated.includes(kind))
        .map((kind) => `fogbow.contracts.${kind} is not there (now ${contracts[kind]?.version})`)
    },
  },
  {
    name: 'health-check',
    severity: 'warning',
    looksAt: 'package',
    reason: 'An administrator wants to test the connection before a new version or setting is used',
    remedy: 'Offer the kind `health`, whose one method tries what is configured',
    check: (subject) =>
      kindsOf(subject).includes('health') ? [] : ["fogbow.kinds: 'health' is not offered"],
  },
]
