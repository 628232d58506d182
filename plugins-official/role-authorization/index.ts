import { asFogbowError, definePlugin, type PluginHost } from '@fogbow/plugin-sdk'
import { assertAllowed, type DecisionSettings } from './decide.ts'
import { readJsonPolicy } from './json-policy.ts'
import {
  assertConsistent,
  defaultPolicy,
  emptyPolicy,
  merge,
  type Policy,
  type PolicyChange,
  wrong,
} from './policy.ts'
import { readXmlPolicy } from './xml-policy.ts'

interface Config extends PolicyChange {
  adminRole?: string
  site?: string
  trustAdminsOf?: string[]
}

const STORED = 'policy'

/** Decides by roles. The policy is the configured one until an administrator sends another. */
export default definePlugin<Config>({
  async create(host) {
    const { adminRole = 'admin', site, trustAdminsOf = [], ...configured } = host.config
    const settings = { adminRole, trustAdminsOf, ...(site !== undefined && { site }) }
    let policy = await loadPolicy(host, configured, settings)

    /** One after the other, so that each builds on the one before. */
    let lastChange: Promise<void> = Promise.resolve()
    function replace(toNext: () => Policy): Promise<void> {
      const change = lastChange.then(async () => {
        const next = toNext()
        assertUsable(next, settings)
        await host.storage.set(STORED, next)
        policy = next
      })
      lastChange = change.catch(() => undefined)
      return change
    }

    return {
      authorization: {
        async isAuthorized(user, operation, type) {
          assertAllowed(policy, settings, { user, operation, type })
          return true
        },
        setPolicy: (text) => replace(() => merge(emptyPolicy, readPolicy(text))),
        updatePolicy: (text) => replace(() => merge(policy, readPolicy(text))),
      },
    }
  },
})

async function loadPolicy(
  { storage, log }: PluginHost<Config>,
  configured: unknown,
  settings: DecisionSettings,
): Promise<Policy> {
  const stored = await storage.get(STORED)
  if (stored !== undefined) {
    log.info('the policy is the one sent by an administrator, not that of the configuration')
    const sent = merge(emptyPolicy, readJsonPolicy(stored))
    const problem = problemWith(sent, settings)
    if (problem) log.warn(problem)
    return sent
  }
  const policy = merge(defaultPolicy, readJsonPolicy(configured))
  assertUsable(policy, settings)
  return policy
}

function readPolicy(text: string): PolicyChange {
  return /^\uFEFF?\s*</.test(text) ? readXmlPolicy(text) : readJsonPolicy(parseJson(text))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw wrong('the text', `is neither XML nor JSON: ${error instanceof Error && error.message}`)
  }
}

/** A stored policy stays in force even when the configured admin role has changed since: it must be safe to start. */
function problemWith(policy: Policy, settings: DecisionSettings): string | undefined {
  try {
    assertUsable(policy, settings)
    return undefined
  } catch (error) {
    return asFogbowError(error).message
  }
}

/** A policy must fit together, and leave somebody who can replace it. */
function assertUsable(policy: Policy, settings: DecisionSettings): void {
  assertConsistent(policy, settings.adminRole)
  const here = settings.site ?? 'here'
  const operation = { name: 'setPolicy', provider: here, requester: here }
  const user = { id: '', identityProviderId: here, name: '', roles: [settings.adminRole] }
  try {
    assertAllowed(policy, settings, { user, operation, type: 'POLICY' })
  } catch (error) {
    throw wrong(
      `roles.${settings.adminRole}`,
      `it would lock out every administrator: ${asFogbowError(error).message}`,
    )
  }
}
