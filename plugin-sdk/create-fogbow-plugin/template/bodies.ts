import { type OrderedKind, orderedKind, resources } from '@fogbow/plugin-sdk'
import { exampleOf } from './examples.ts'

/** What a part consists of beside what its contract says. */
export interface PartBody {
  /** Declarations before the part. */
  before: string
  /** Method → statements; the others say that they are not written yet. */
  methods: Record<string, string>
}

/** Found by how a kind lives: whatever is ordered, listed or nested is written in the same way. */
export function bodyOf(kind: string, kinds: readonly string[]): PartBody {
  const ordered = orderedKind(kind)
  if (ordered) return { before: '', methods: orderedMethods(ordered) }
  const resource = Object.hasOwn(resources, kind)
    ? resources[kind as keyof typeof resources]
    : undefined
  if (resource && 'summary' in resource) return listBody(kind, resource.view)
  return { before: '', methods: {}, ...others(kinds)[kind] }
}

function orderedMethods(kind: OrderedKind): Record<string, string> {
  const { name, references, request } = kind
  const properties = request.properties as Record<string, { type?: string } | undefined>
  const named: [string, string][] = [
    ...Object.entries(references),
    ...(properties.imageId ? ([['imageId', 'image']] as [string, string][]) : []),
  ]
  const checks = named.map(([field, needed]) =>
    properties[field]?.type === 'array'
      ? `for (const id of order.request.${field} ?? []) await cloud.assertKnown('${needed}', id)`
      : `await cloud.assertKnown('${needed}', order.request.${field})`,
  )
  return {
    requestInstance: [...checks, `return { instanceId: await cloud.make('${name}', order) }`].join(
      '\n',
    ),
    getInstance: instanceStatements(kind),
    deleteInstance: `await cloud.remove('${name}', order)`,
  }
}

/** Fields that must be reported are those that were asked for. */
function instanceStatements({ name, instance }: OrderedKind): string {
  const { required = [], properties } = instance as {
    required?: readonly string[]
    properties: Record<string, { type?: string } | undefined>
  }
  const fields = required
    .filter((field) => field !== 'state' && field !== 'cloudState')
    .map((field) => {
      const isNumber = properties[field]?.type === 'integer'
      return isNumber
        ? `${field}: Number(request.${field} ?? 0)`
        : `${field}: String(request.${field} ?? '')`
    })
  const found = `await cloud.find('${name}', order.instanceId ?? '')`
  if (fields.length === 0) return `${found}\nreturn { state: 'READY', cloudState: 'ready' }`
  const answer = ["state: 'READY'", "cloudState: 'ready'", ...fields].map((field) => `  ${field},`)
  return `const request = ${found}\nreturn {\n${answer.join('\n')}\n}`
}

function listBody(kind: string, view: unknown): PartBody {
  const list = `${kind}s`
  const all = `return ${list}.map(({ id, name }) => ({ id, name }))`
  const one = (param: string) => `const found = ${list}.find(({ id }) => id === ${param})
if (found) return found
throw new FogbowError('instance_not_found', \`${kind} '\${${param}}' does not exist\`)`
  const example = { ...exampleOf(view), id: `example-${kind}`, name: `Example ${kind}` }
  return {
    before: `const ${list} = [${literal(example)}]\n\n`,
    methods: {
      getAllImages: all,
      getImage: one('imageId'),
      getAllSpecs: all,
      getFlavor: one('specId'),
    },
  }
}

function literal(value: Record<string, unknown>): string {
  const fields = Object.entries(value).map(([key, field]) =>
    typeof field === 'string' ? `${key}: '${field}'` : `${key}: ${JSON.stringify(field)}`,
  )
  return `{ ${fields.join(', ')} }`
}

const amounts = Object.keys(resources.quota.view.properties.totalQuota.properties)

/** What was ordered is counted; amounts that the cloud does not tell are -1. */
function quotaStatements(kinds: readonly string[]): string {
  const counted = new Map(
    kinds.flatMap((name) => {
      const countedAs = orderedKind(name)?.countedAs
      return countedAs === undefined ? [] : [[countedAs, name] as const]
    }),
  )
  const amountsOf = (count: (kind: string) => string) =>
    amounts.map((amount) => {
      const kind = counted.get(amount)
      return `    ${amount}: ${kind === undefined ? '-1' : count(kind)},`
    })
  return `return {
  totalQuota: {
${amountsOf(() => '100').join('\n')}
  },
  usedQuota: {
${amountsOf((kind) => `await cloud.count('${kind}')`).join('\n')}
  },
}`
}

const types = Object.values(resources).map(({ type }) => `'${type}'`)
const cloudKinds = Object.keys(resources)

/** What no pattern gives: one of each is all there is. */
const others = (kinds: readonly string[]): Record<string, Partial<PartBody>> => ({
  quota: { methods: { getUserQuota: quotaStatements(kinds) } },

  securityRule: {
    before: `const range = /^[0-9a-fA-F.:]+\\/\\d{1,3}$/

type Rule = Awaited<ReturnType<SecurityRulePlugin['getSecurityRules']>>[number]

`,
    methods: {
      requestSecurityRule: `if (rule.portFrom > rule.portTo || !range.test(rule.cidr))
  throw new FogbowError('invalid_parameter', 'rule: ports or addresses contradict themselves')
await cloud.assertKnown(parentOrder.kind, parentOrder.instanceId)
const { protocol, etherType, direction, portFrom, portTo, cidr } = rule
const id = [protocol, etherType, direction, portFrom, portTo, cidr].join(' ')
await host.storage.set(\`rule/\${parentOrder.instanceId}/\${id}\`, { ...rule, id })
return id`,
      getSecurityRules: `const entries = await host.storage.list(\`rule/\${parentOrder.instanceId}/\`)
return entries.map(({ value }) => value as Rule)`,
      deleteSecurityRule: `await host.storage.delete(\`rule/\${parentOrder.instanceId}/\${ruleId}\`)`,
    },
  },

  tokenGenerator: {
    methods: {
      createTokenValue: `const { username = '', password = '' } = credentials
const users = JSON.parse(await host.secrets.get('users')) as Record<string, string>
const isRight = password !== '' && Object.hasOwn(users, username) && users[username] === password
if (!isRight) throw new FogbowError('unauthenticated', 'user name or password is wrong')
return tokens.create(username)`,
    },
  },

  federationIdentity: {
    methods: {
      getFederationUserToken: `const claims = tokens.read(tokenValue)
if (!claims) throw new FogbowError('unauthenticated', 'this is no token of this site')
return { ...tokens.userOf(claims), tokenValue, expiresAt: claims.expiresAt }`,
    },
  },

  authentication: {
    methods: {
      isAuthentic: `const claims = tokens.read(token.tokenValue)
if (!claims || claims.expiresAt <= host.clock.now()) return false
if (!(await tokens.isGenuine(token.tokenValue))) return false
const { tokenValue: _, attributes = {}, ...fields } = token
const signed = { ...tokens.userOf(claims), expiresAt: claims.expiresAt }
const isSame = Object.entries(signed).every(
  ([name, value]) => JSON.stringify(value) === JSON.stringify(fields[name as keyof typeof signed]),
)
return isSame && Object.keys(attributes).length === 0`,
    },
  },

  authorization: {
    before: `/** What everybody may use; all else is for administrators. */
const everyday = [${types.join(', ')}]

`,
    methods: {
      isAuthorized: `if (token.roles.includes('admin')) return true
if (!everyday.includes(type)) return false
const { owner } = operation
const isOwn = owner?.id === token.id && owner.identityProviderId === token.identityProviderId
return owner === undefined || isOwn`,
    },
  },

  federationToLocalMapper: {
    methods: {
      getToken: `return { account: user.id, credential: await host.secrets.get('cloudCredential') }`,
    },
  },

  login: {
    before: `/** Where users log in. */
const PROVIDER = 'https://login.example/authorize'

`,
    methods: {
      beginLogin: `const url = new URL(PROVIDER)
url.search = String(new URLSearchParams({ redirect_uri: redirectUri, state }))
return { url: url.href, kept: { state } }`,
      completeLogin: `if (parameters.state !== kept.state || !parameters.code)
  throw new FogbowError('unauthenticated', \`the login at \${redirectUri} is not the one that was begun\`)
throw new FogbowError('unauthenticated', 'the provider does not know this code')`,
    },
  },

  placement: {
    before: `/** Of a site whose distance nobody has measured, ms. */
const UNKNOWN_LATENCY_MS = 1000

`,
    methods: {
      rankProviders: `return rankCandidates(candidates, ({ local, latencyMs = UNKNOWN_LATENCY_MS }) => [
  local ? 0 : 1,
  latencyMs,
])`,
    },
  },

  health: { methods: { check: healthStatements(kinds) } },
})

function healthStatements(kinds: readonly string[]): string {
  const setting = kinds.some((kind) => cloudKinds.includes(kind)) ? 'project' : 'site'
  return `if (host.config.${setting}.trim() === '')
  throw new FogbowError('configuration_error', 'config.${setting} must not be empty')`
}
