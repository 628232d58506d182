import type { HeededRevocation, LockedPlugin } from '@fogbow/registry'
import { isRevoked } from '@fogbow/registry/trust'
import type { Logger } from 'pino'
import type { PluginHost, PluginSlot } from '../plugins/index.ts'

export interface RevocationWatchParts {
  plugins: PluginHost
  heeded(): Promise<readonly HeededRevocation[]>
  installed(): Promise<readonly LockedPlugin[]>
  log: Logger
}

/** What a running plugin suffers from a revocation. */
export interface Revoked {
  plugin: string
  revocation: HeededRevocation
}

/** The strongest first. */
const severity = { stop: 2, 'stop-new-orders': 1, warn: 0 } as const

export interface RevocationWatch {
  /** Looks at every running plugin, and does what its revocation asks for; what was withdrawn is undone. */
  enforce(): Promise<void>
  revoked(): readonly Revoked[]
}

export function createRevocationWatch(parts: RevocationWatchParts): RevocationWatch {
  let revoked: Revoked[] = []

  async function enforceOn(slot: PluginSlot, revocation: HeededRevocation | undefined) {
    const before = revoked.find(({ plugin }) => plugin === slot.name)?.revocation
    const isTold = before?.action === revocation?.action && before?.source === revocation?.source
    const reason = revocation && `${revocation.source} has revoked it: ${revocation.reason}`
    const isOpen = revocation === undefined || revocation.action === 'warn'
    slot.closeForNew(isOpen ? undefined : reason)
    if (revocation && !isTold) tell(slot, revocation)
    if (revocation?.action === 'stop' && slot.health().state !== 'stopped')
      await slot.present.stop()
    if (before?.action === 'stop' && revocation?.action !== 'stop') await slot.restart()
  }

  function tell({ name, packageName, version }: PluginSlot, revocation: HeededRevocation): void {
    const { action, source, reason, url } = revocation
    parts.log.error(
      { plugin: name, package: packageName, version, action, source, reason, url },
      'a plugin that runs was revoked',
    )
  }

  return {
    async enforce() {
      const [heeded, installed] = await Promise.all([parts.heeded(), parts.installed()])
      const found: Revoked[] = []
      for (const slot of parts.plugins.list()) {
        const runs = { name: slot.packageName, version: slot.version, hash: slot.bundleHash }
        // One that could not be loaded is known by what is installed.
        const plugin = runs.version ? runs : installed.find(({ name }) => name === runs.name)
        const revocation = plugin && strongest(heeded.filter((one) => isRevoked(plugin, one)))
        await enforceOn(slot, revocation)
        if (revocation) found.push({ plugin: slot.name, revocation })
      }
      revoked = found
    },
    revoked: () => revoked,
  }
}

function strongest(revocations: HeededRevocation[]): HeededRevocation | undefined {
  return revocations.toSorted((a, b) => severity[b.action] - severity[a.action])[0]
}
