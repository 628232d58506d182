import type { OpenStack } from './openstack/openstack.ts'

/**
 * What the conformance kit cannot guess of a cloud.
 * @param computeId - what attachments and public addresses belong to, so that not each of them has one of its own made
 */
export function samplesFor(cloud: OpenStack, computeId: string) {
  const { username, password } = cloud.loginOf('demo')
  return {
    localToken: { account: 'demo' },
    imageId: cloud.image,
    requests: {
      compute: { vCPU: 1, ram: 64 },
      volume: { size: 1 },
      network: { cidr: '10.90.0.0/24' },
      attachment: { computeId },
      publicIp: { computeId },
    },
    credentials: { username, password },
    user: { id: 'ana', identityProviderId: 'site-a.test', name: 'Ana', roles: [] },
    stranger: { id: 'eve', identityProviderId: 'site-c.test', name: 'Eve', roles: [] },
  }
}
