import { sdkVersion } from '@fogbow/plugin-sdk'
import { intersects, valid, validRange } from 'semver'
import type { Rule } from '../rule.ts'
import { type Subject, toObject } from '../subject.ts'

const SDK = '@fogbow/plugin-sdk'

/** What a site installs along, as it is written. */
function dependenciesOf({ fields }: Subject): [key: string, name: string, range: string][] {
  return ['dependencies', 'peerDependencies'].flatMap((key) =>
    Object.entries(toObject(fields[key])).map(([name, range]): [string, string, string] => [
      `${key}.${name}`,
      name,
      String(range),
    ]),
  )
}

const isFromElsewhere = (range: string) => /[:/]/.test(range) && !range.startsWith('npm:')

function isNarrow(range: string): boolean {
  const bare = range.replace(/^npm:(@[^/]+\/)?[^@]+@/, '')
  return valid(bare) !== null || /^[\^~]\d+\.\d+\.\d+/.test(bare)
}

export const dependencyRules: readonly Rule[] = [
  {
    name: 'dependency-sources',
    severity: 'error',
    looksAt: 'package',
    vital: true,
    reason: 'Sites ask npm registries only, where what was published stays as it is',
    remedy: 'Publish the dependency, or copy what you need of it',
    check: (subject) =>
      dependenciesOf(subject)
        .filter(([, , range]) => isFromElsewhere(range))
        .map(([key, , range]) => `${key} is '${range}'`),
  },
  {
    name: 'dependency-ranges',
    severity: 'error',
    looksAt: 'package',
    reason: 'A range without an end lets in versions that nobody has tried with it',
    remedy: 'Write an exact version, ^1.2.3 or ~1.2.3',
    check: (subject) =>
      dependenciesOf(subject)
        .filter(([, , range]) => !isFromElsewhere(range) && !isNarrow(range))
        .map(([key, , range]) => `${key} is '${range}'`),
  },
  {
    name: 'sdk-dependency',
    severity: 'error',
    looksAt: 'package',
    reason:
      'It would be tested with another SDK than the one that its manifest promises to work with',
    remedy: `Depend on ${SDK} with the range of fogbow.sdk`,
    check(subject) {
      const { sdk } = subject.manifest
      const dependency = dependenciesOf(subject).find(([, name]) => name === SDK)
      if (!dependency) return [`dependencies.${SDK} is not there (now ^${sdkVersion})`]
      const [key, , range] = dependency
      const isComparable = validRange(range) !== null && validRange(String(sdk)) !== null
      return isComparable && !intersects(range, String(sdk))
        ? [`${key} is '${range}', and fogbow.sdk is '${sdk}'`]
        : []
    },
  },
  {
    name: 'no-optional-dependencies',
    severity: 'warning',
    looksAt: 'package',
    reason: 'Sites leave them out, so that the plugin is another one there',
    remedy: 'Depend on it, or do without',
    check: ({ fields }) =>
      Object.keys(toObject(fields.optionalDependencies)).map(
        (name) => `optionalDependencies.${name} is left out at sites`,
      ),
  },
  {
    name: 'dependency-licenses',
    severity: 'warning',
    looksAt: 'bundle',
    reason: 'A site that allows licences by name refuses what states none',
    remedy: 'Use another package, or ask its author to state a licence',
    async check(subject) {
      const built = await subject.build().catch(() => undefined)
      if (!built) return { skip: 'it has no bundle' }
      return built.candidate.components
        .filter(({ license }) => license === 'not stated')
        .map(({ name, version }) => `${name}@${version} states no licence`)
    },
  },
]
