import { createHash } from 'node:crypto'
import { defaultLimits, type Sandbox, type SandboxSpec, startSandbox } from '@fogbow/sandbox'
import type { Tier } from './tiers.ts'

/** A plugin from raw code: it has passed no gate, so that the walls behind the gate are what is tried. */
export function bundleSpec(code: string, changes: Partial<SandboxSpec> = {}): SandboxSpec {
  return {
    name: 'hostile',
    bundle: { code, hash: createHash('sha256').update(code).digest('hex') },
    config: {},
    kinds: ['federationToLocalMapper'],
    limits: defaultLimits,
    host: {},
    onLog: () => {},
    ...changes,
  }
}

/** Code of the one part that these plugins have: `getToken` runs `body`, with `host`, `user` and `call` in sight, and answers its result as JSON. */
export function mapperPart(body: string): string {
  return `{
    async getToken(user, call) {
      const run = async () => { ${body} }
      return { result: JSON.stringify(await run()) ?? null }
    },
  }`
}

/**
 * @param body - what `getToken` runs
 * @param before - code at the top of the bundle
 */
export function bodySpec(
  body: string,
  changes: Partial<SandboxSpec> = {},
  before = '',
): SandboxSpec {
  const code = `${before}\nmodule.exports.default = { create: (host) => ({ federationToLocalMapper: ${mapperPart(body)} }) }`
  return bundleSpec(code, changes)
}

/** Calls `getToken` for a user of that id and answers what its body came to. */
export async function runBody(sandbox: Sandbox, id = 'u-1'): Promise<unknown> {
  const user = { id, identityProviderId: 'here', name: 'somebody', roles: [] }
  const answer = await sandbox.call('federationToLocalMapper.getToken', [user])
  const { result } = answer as { result: string | null }
  return result === null ? undefined : JSON.parse(result)
}

/** Starts a plugin for the time of `use`. */
export async function withPlugin<Result>(
  { launcher }: Tier,
  spec: SandboxSpec,
  use: (sandbox: Sandbox) => Promise<Result>,
): Promise<Result> {
  const sandbox = await startSandbox(spec, { launcher })
  try {
    return await use(sandbox)
  } finally {
    await sandbox.stop()
  }
}

/** Starts a plugin whose `getToken` runs `body`, once. */
export function answerOf(
  tier: Tier,
  body: string,
  changes: Partial<SandboxSpec> = {},
): Promise<unknown> {
  return withPlugin(tier, bodySpec(body, changes), (sandbox) => runBody(sandbox))
}
