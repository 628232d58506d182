import { definePlugin } from '@fogbow/plugin-sdk'
import { createClouds } from './api/cloud.ts'
import { createAttachmentPart } from './attachment.ts'
import { createComputePart } from './compute/compute.ts'
import { createFlavors } from './compute/flavors.ts'
import { defaults, type Settings } from './config.ts'
import {
  createAuthentication,
  createFederationIdentity,
  createTokenGenerator,
} from './identity/login.ts'
import { createTokens } from './identity/tokens.ts'
import { createImagePart } from './image.ts'
import { createMapper } from './mapper.ts'
import { createNetworkPart } from './network/network.ts'
import { createPublicIpPart } from './network/public-ip.ts'
import { createSecurityRulePart } from './network/security-rule.ts'
import { createOnce } from './once.ts'
import type { Parts } from './parts.ts'
import { createQuotaPart } from './quota.ts'
import { createSpecPart } from './spec.ts'
import { createVolumePart } from './volume.ts'

/** OpenStack: a cloud, the accounts that users of the federation have in it, and log-in with Keystone. */
export default definePlugin<Settings>({
  create(host) {
    const { config } = host
    const clouds = createClouds(host)
    const once = createOnce(host, (config.settleSeconds ?? defaults.settleSeconds) * 1000)
    const parts: Parts = { config, host, once, open: clouds.open }
    const flavors = createFlavors(host.clock)
    const tokens = createTokens(clouds.http, host)
    return {
      compute: createComputePart(parts, flavors),
      volume: createVolumePart(parts),
      network: createNetworkPart(parts),
      attachment: createAttachmentPart(parts),
      publicIp: createPublicIpPart(parts),
      securityRule: createSecurityRulePart(parts),
      image: createImagePart(parts),
      spec: createSpecPart(parts, flavors),
      quota: createQuotaPart(parts),
      tokenGenerator: createTokenGenerator(clouds.http, host),
      federationIdentity: createFederationIdentity(tokens),
      authentication: createAuthentication(tokens),
      federationToLocalMapper: createMapper(host),
    }
  },
})
