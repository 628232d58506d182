import { FogbowError, schema, type TypeOf } from '@fogbow/plugin-sdk'
import { completerFor, joinPath } from '@fogbow/plugin-sdk/validate'
import { trustLevels } from '../marketplace.ts'
import { type PackagePattern, readPackagePattern } from './package-pattern.ts'
import { readVerifyingKey, type VerifyingKey } from './signing-key.ts'

const patterns = {
  type: 'array',
  maxItems: 4096,
  items: { type: 'string', minLength: 1, maxLength: 255 },
} as const

/** The part `marketplace.policy` of the configuration. */
export const policySchema = schema({
  type: 'object',
  additionalProperties: false,
  properties: {
    allow: {
      ...patterns,
      description:
        'Only these packages: `name`, `name@range`, `@scope/*` or `*`; absent: every package',
    },
    deny: { ...patterns, default: [], description: 'Never these, whatever `allow` says' },
    minimumTrust: {
      type: 'string',
      enum: trustLevels,
      default: 'local',
      description: 'What is trusted less is not installed',
    },
    minimumAgeHours: {
      type: 'number',
      minimum: 0,
      maximum: 8760,
      default: 24,
      description:
        'A version of a registry is not installed before it is so old, by the later of two clocks: when it was published, and when this site first saw it',
    },
    publishers: {
      type: 'object',
      default: {},
      propertyNames: { maxLength: 64 },
      description: 'Who may answer for which packages',
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        required: ['packages'],
        properties: {
          packages: { ...patterns, minItems: 1 },
          level: { type: 'string', enum: ['official', 'verified'], default: 'verified' },
          keys: {
            type: 'array',
            default: [],
            items: { type: 'string' },
            description: 'Ed25519 keys that sign packages, `keyId:key`',
          },
          provenance: {
            type: 'array',
            default: [],
            description: 'Builds whose Sigstore provenance is believed',
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['issuer', 'repository'],
              properties: {
                issuer: { type: 'string', description: 'Who vouched for the build, a URL' },
                repository: {
                  type: 'string',
                  description: 'URL of the repository that was built from',
                },
                workflow: {
                  type: 'string',
                  description:
                    'Path of the workflow in it, such as `.github/workflows/release.yml`',
                },
              },
            },
          },
        },
      },
    },
    licenses: {
      type: 'object',
      default: {},
      additionalProperties: false,
      properties: {
        allow: {
          type: 'array',
          items: { type: 'string' },
          description: 'SPDX ids; of a package and all that it is made of; absent: every licence',
        },
        deny: { type: 'array', default: [], items: { type: 'string' } },
      },
    },
    advisories: {
      type: 'string',
      enum: ['refuse', 'warn'],
      default: 'warn',
      description: 'What to do about known weaknesses of a version and of what it is made of',
    },
    requireConformanceReport: {
      type: 'boolean',
      default: false,
      description:
        'Refuse what brings no signed report that its bundle passed the conformance cases in a sandbox',
    },
    testers: {
      type: 'array',
      default: [],
      items: { type: 'string' },
      description:
        'Ed25519 keys, `keyId:key`, whose conformance reports are believed beside those of the publisher',
    },
    requireRegistrySignatures: {
      type: 'boolean',
      default: false,
      description: 'Refuse what no key of its registry has signed',
    },
  },
})

export type WrittenPolicy = TypeOf<typeof policySchema>
export type WrittenPublisher = WrittenPolicy['publishers'][string]

export interface Publisher {
  readonly name: string
  readonly level: 'official' | 'verified'
  readonly packages: readonly PackagePattern[]
  readonly keys: readonly VerifyingKey[]
  readonly provenance: WrittenPublisher['provenance']
}

/** A policy that was understood to the last word; there is no other. */
export interface TrustPolicy
  extends Pick<
    WrittenPolicy,
    | 'minimumTrust'
    | 'minimumAgeHours'
    | 'licenses'
    | 'advisories'
    | 'requireRegistrySignatures'
    | 'requireConformanceReport'
  > {
  readonly allow: readonly PackagePattern[] | undefined
  readonly deny: readonly PackagePattern[]
  readonly publishers: readonly Publisher[]
  readonly testers: readonly VerifyingKey[]
}

const KEY = 'marketplace.policy'

/**
 * A mistake anywhere in it lets nothing in at all, rather than letting in what it was meant to keep out.
 * @throws configuration_error naming the key
 */
export function readPolicy(written: unknown): TrustPolicy {
  const policy = structuredClone(written ?? {})
  const problem = completerFor(policySchema)(policy)
  if (problem) throw wrong(joinPath(KEY, problem.field), problem.message)
  const { allow, deny, publishers, testers, ...rest } = policy as WrittenPolicy
  return {
    ...rest,
    allow: allow && readPatterns(`${KEY}.allow`, allow),
    deny: readPatterns(`${KEY}.deny`, deny),
    publishers: Object.entries(publishers).map(([name, publisher]) =>
      readPublisher(name, publisher),
    ),
    testers: testers.map((text, index) => readKey(`${KEY}.testers[${index}]`, text)),
  }
}

function readPublisher(
  name: string,
  { packages, keys, ...publisher }: WrittenPublisher,
): Publisher {
  const key = `${KEY}.publishers.${name}`
  if (keys.length === 0 && publisher.provenance.length === 0)
    throw wrong(key, 'must have keys or provenance: otherwise nobody could prove to be it')
  return {
    ...publisher,
    name,
    packages: readPatterns(`${key}.packages`, packages),
    keys: keys.map((text, index) => readKey(`${key}.keys[${index}]`, text)),
  }
}

function readPatterns(key: string, texts: readonly string[]): PackagePattern[] {
  return texts.map((text, index) => {
    const pattern = readPackagePattern(text)
    if (typeof pattern === 'string') throw wrong(`${key}[${index}]`, pattern)
    return pattern
  })
}

/** @throws configuration_error naming the key of the configuration */
export function readKey(key: string, text: string): VerifyingKey {
  try {
    return readVerifyingKey(text)
  } catch (error) {
    throw wrong(key, (error as Error).message)
  }
}

function wrong(key: string, problem: string): FogbowError {
  return new FogbowError('configuration_error', `${key}: ${problem}`, { details: { field: key } })
}
