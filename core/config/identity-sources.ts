import type { SiteConfig } from './schema.ts'

const name = {
  type: 'string',
  minLength: 1,
  maxLength: 64,
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
} as const
const pluginName = { ...name, description: 'Name of an entry of `plugins`' } as const
const id = { type: 'string', minLength: 1, maxLength: 255 } as const

/** Where users come from, when they come from several places. */
export const sourcesSchema = {
  type: 'object',
  minProperties: 1,
  maxProperties: 64,
  propertyNames: { pattern: name.pattern, maxLength: 64 },
  description:
    'Identity sources by name, in place of tokenGenerator, federationIdentity and authentication; the first is taken at log-ins without domain',
  additionalProperties: {
    type: 'object',
    additionalProperties: false,
    required: ['tokenGenerator', 'federationIdentity', 'authentication', 'identityProviderId'],
    properties: {
      tokenGenerator: pluginName,
      federationIdentity: pluginName,
      authentication: pluginName,
      identityProviderId: {
        ...id,
        description: 'Of all its users; a source that speaks for others is not believed',
      },
      domains: {
        type: 'array',
        default: [],
        maxItems: 64,
        items: id,
        description:
          'Values of `domain` at log-in that mean it, beside its name; case does not count',
      },
      issuers: {
        type: 'array',
        maxItems: 64,
        items: { ...id, maxLength: 1024 },
        description: '`iss` of its tokens; identityProviderId when absent',
      },
      opaqueTokens: {
        type: 'boolean',
        default: false,
        description: 'Whether tokens that name no issuer are its own',
      },
    },
  },
} as const

/** One place where users come from. */
export interface IdentitySource {
  /** `default` when there is only one, which has no name. */
  name: string
  tokenGenerator: string
  federationIdentity: string
  authentication: string
  /** Of all its users; undefined when it is the only source, which speaks for whom it wants. */
  identityProviderId: string | undefined
  /** What means it at log-in, in lower case; its name among them. */
  domains: readonly string[]
  issuers: readonly string[]
  opaqueTokens: boolean
}

export const sourceSlots = ['tokenGenerator', 'federationIdentity', 'authentication'] as const

/** All sources of a site, the default one first; both ways to write them. */
export function identitySources({ aaa }: Pick<SiteConfig, 'aaa'>): IdentitySource[] {
  const { tokenGenerator = '', federationIdentity = '', authentication = '' } = aaa
  if (!aaa.sources) {
    const plugins = { tokenGenerator, federationIdentity, authentication }
    const anything = { identityProviderId: undefined, domains: [], issuers: [], opaqueTokens: true }
    return [{ name: 'default', ...plugins, ...anything }]
  }
  return Object.entries(aaa.sources).map(([name, source]) => ({
    ...source,
    name,
    domains: [...new Set([name, ...source.domains].map((domain) => domain.toLowerCase()))],
    issuers: source.issuers ?? [source.identityProviderId],
  }))
}

/** Where in the configuration a plugin of a source is named. */
export function sourceKey({ aaa }: Pick<SiteConfig, 'aaa'>, source: string, slot: string): string {
  return aaa.sources ? `aaa.sources.${source}.${slot}` : `aaa.${slot}`
}

/** What a schema cannot say: one way to write it, and nothing that two sources share. */
export function sourceProblem(
  config: Pick<SiteConfig, 'aaa' | 'site' | 'members'>,
): { key: string; message: string } | undefined {
  const { aaa } = config
  for (const slot of sourceSlots) {
    if (aaa.sources && aaa[slot] !== undefined)
      return { key: `aaa.${slot}`, message: 'and aaa.sources exclude each other' }
    if (!aaa.sources && aaa[slot] === undefined)
      return { key: `aaa.${slot}`, message: 'is required, unless there are aaa.sources' }
  }
  if (!aaa.sources) return undefined
  const sources = identitySources(config)
  return sharedProblem(sources) ?? foreignProblem(sources, config)
}

function sharedProblem(sources: readonly IdentitySource[]) {
  const owners = new Map<string, string>()
  for (const source of sources) {
    const claims: [key: string, values: readonly string[]][] = [
      ['identityProviderId', [source.identityProviderId ?? '']],
      ['domains', source.domains],
      ['issuers', source.issuers],
      ['opaqueTokens', source.opaqueTokens ? ['true'] : []],
    ]
    for (const [key, values] of claims) {
      for (const value of values) {
        const owner = owners.get(`${key} ${value}`)
        if (owner !== undefined && owner !== source.name)
          return {
            key: `aaa.sources.${source.name}.${key}`,
            message: `'${value}' is that of source '${owner}' already`,
          }
        owners.set(`${key} ${value}`, source.name)
      }
    }
  }
  return undefined
}

/** Users of another member are known by that member's word alone. */
function foreignProblem(
  sources: readonly IdentitySource[],
  { site, members }: Pick<SiteConfig, 'site' | 'members'>,
) {
  const foreign = sources.find(
    ({ identityProviderId: id = '' }) => id !== site.id && members.list.includes(id),
  )
  return (
    foreign && {
      key: `aaa.sources.${foreign.name}.identityProviderId`,
      message: `'${foreign.identityProviderId}' is another member, which alone speaks for its users`,
    }
  )
}
