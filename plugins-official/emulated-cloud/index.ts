import { type CallContext, definePlugin, type PluginParts } from '@fogbow/plugin-sdk'
import { createAttachmentPart } from './attachment.ts'
import { createCloud } from './cloud.ts'
import { createComputePart } from './compute.ts'
import { type CloudSettings, withDefaults } from './config.ts'
import { createFaults, type Faults } from './faults.ts'
import { createSpecPart } from './flavors.ts'
import { createImagePart } from './images.ts'
import { createNetworkPart } from './network.ts'
import { createPublicIpPart } from './public-ip.ts'
import { createQuotaPart } from './quota.ts'
import { openRecords } from './records.ts'
import { createSecurityRulePart } from './security-rule.ts'
import { createVolumePart } from './volume.ts'

/** A whole cloud that exists only as records in the plugin's storage. */
export default definePlugin<CloudSettings>({
  async create(host) {
    const config = withDefaults(host.config)
    const faults = createFaults(config, host.clock)
    const cloud = createCloud(config, await openRecords(host), host.clock, faults)
    return withFaults(faults, {
      compute: createComputePart(cloud),
      volume: createVolumePart(cloud),
      network: createNetworkPart(cloud),
      attachment: createAttachmentPart(cloud),
      publicIp: createPublicIpPart(cloud),
      securityRule: createSecurityRulePart(cloud),
      image: createImagePart(cloud),
      spec: createSpecPart(config.specs),
      quota: createQuotaPart(cloud),
    })
  },
})

type Method = (...args: unknown[]) => Promise<unknown>

function withFaults(faults: Faults, parts: PluginParts): PluginParts {
  const entries = Object.entries(parts).map(([kind, part]) => [
    kind,
    Object.fromEntries(
      Object.entries(part as Record<string, Method>).map(([name, method]) => [
        name,
        (...args: unknown[]) =>
          faults.around(`${kind}.${name}`, args.at(-1) as CallContext, () => method(...args)),
      ]),
    ),
  ])
  return Object.fromEntries(entries) as PluginParts
}
