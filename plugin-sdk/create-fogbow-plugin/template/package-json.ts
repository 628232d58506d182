import { contracts, orderedKind, sdkVersion } from '@fogbow/plugin-sdk'
import { secretsOf, settingsOf, usesStorage } from './settings.ts'
import { foreignReferences } from './support.ts'

interface Written {
  kinds: readonly string[]
  /** All that is written: what it uses is what the manifest says. */
  code: string
}

/** What a vendor needs beside the SDK: the command, and a site to try the plugin with. */
const tools = [
  'core',
  'plugin-emulated-cloud',
  'plugin-local-identity',
  'plugin-role-authorization',
  'plugin-single-account',
  'registry',
].map((name) => `@fogbow/${name}`)

/** Where `fogbow-plugin pack` looks for it. */
const report = 'fogbow.conformance-report.json'

export function packageJsonText({ name, kinds, code }: Written & { name: string }): string {
  const range = `^${sdkVersion}`
  const descriptions = kinds.map((kind) => contracts[kind]?.kind ?? kind)
  return toJson({
    name,
    version: '0.1.0',
    description: `A Fogbow plugin that offers ${descriptions.join(', ')}`,
    license: 'MIT',
    type: 'module',
    exports: './index.ts',
    files: ['*.ts', '!*.test.ts', 'CHANGELOG.md', 'fogbow.conformance.json'],
    keywords: ['fogbow-plugin'],
    scripts: {
      test: 'node --import @fogbow/plugin-sdk/typescript --test',
      conformance: 'fogbow-plugin test',
      dev: 'fogbow-plugin dev',
      validate: 'fogbow-plugin validate',
      key: 'fogbow-plugin key',
      report: `fogbow-plugin test --report ${report} --key fogbow-vendor.key`,
      release: 'npm run report && fogbow-plugin pack --key fogbow-vendor.key',
    },
    fogbow: manifestOf({ kinds, code }),
    dependencies: { '@fogbow/plugin-sdk': range },
    devDependencies: Object.fromEntries(tools.map((tool) => [tool, range])),
  })
}

function manifestOf({ kinds, code }: Written): Record<string, unknown> {
  const settings = settingsOf(code)
  const secrets = Object.keys(secretsOf(code))
  const required = settings.filter(({ schema }) => schema.default === undefined)
  return {
    sdk: `^${sdkVersion}`,
    kinds,
    contracts: Object.fromEntries(kinds.map((kind) => [kind, contracts[kind]?.version])),
    entry: './index.ts',
    config: {
      type: 'object',
      additionalProperties: false,
      required: required.map(({ name }) => name),
      properties: Object.fromEntries(settings.map(({ name, schema }) => [name, schema])),
    },
    capabilities: {
      network: [],
      secrets,
      storage: usesStorage(code),
    },
  }
}

/** With what the plugin is tried: its settings, and samples of what it refers to and does not make. */
export function conformanceText({ kinds, code }: Written): string {
  const settings = settingsOf(code).map(({ name, example }) => [name, example])
  return toJson({
    config: Object.fromEntries(settings),
    secrets: secretsOf(code),
    samples: {
      ...samplesOf(kinds),
      ...(kinds.includes('tokenGenerator') && {
        credentials: { username: 'ana', password: 'for tests only' },
      }),
      ...(kinds.includes('authorization') && {
        allowed: [question('create', 'COMPUTE')],
        denied: [question('reload', 'CONFIGURATION')],
      }),
    },
  })
}

function question(name: string, type: string) {
  const user = { id: 'ana', identityProviderId: 'site-a', name: 'ana', roles: ['user'] }
  return { user, type, operation: { name, provider: 'site-a', requester: 'site-a' } }
}

function samplesOf(kinds: readonly string[]): Record<string, unknown> {
  const foreign = foreignReferences(kinds)
  const requests = kinds.flatMap((kind) => {
    const required = (orderedKind(kind)?.request.required ?? []) as readonly string[]
    const fields = required.flatMap((field) => {
      const needed = foreign.get(field)
      return needed === undefined ? [] : [[field, `example-${needed}`]]
    })
    return fields.length > 0 ? [[kind, Object.fromEntries(fields)]] : []
  })
  return requests.length > 0 ? { requests: Object.fromEntries(requests) } : {}
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
