export interface Setting {
  name: string
  schema: { type: 'string' | 'integer'; description: string; [keyword: string]: unknown }
  /** For tests. */
  example: string | number
}

const all: readonly Setting[] = [
  {
    name: 'project',
    schema: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description: 'Project of the cloud in which instances are made',
    },
    example: 'demo',
  },
  {
    name: 'site',
    schema: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description: 'Id of this site; becomes identityProviderId of its users',
    },
    example: 'site-a',
  },
  {
    name: 'tokenLifetimeSeconds',
    schema: {
      type: 'integer',
      minimum: 60,
      maximum: 2_592_000,
      default: 3600,
      description: 'How long a token is good, s',
    },
    example: 3600,
  },
]

const examples: Readonly<Record<string, string>> = {
  users: '{"ana":"for tests only"}',
  signingKey: 'for tests only, and long enough',
  cloudCredential: 'for tests only',
}

/** The settings that code reads. */
export function settingsOf(code: string): Setting[] {
  return all.filter(({ name }) => new RegExp(`\\bconfig\\.${name}\\b`).test(code))
}

/** The secrets that code reads, with values for tests. */
export function secretsOf(code: string): Record<string, string> {
  const names = [...code.matchAll(/secrets\.get\('(\w+)'\)/g)].map(([, name = '']) => name)
  return Object.fromEntries(names.sort().map((name) => [name, examples[name] ?? 'for tests only']))
}

export function usesStorage(code: string): boolean {
  return /\bstorage\./.test(code)
}
