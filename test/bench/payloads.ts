import { randomBytes, randomInt, randomUUID } from 'node:crypto'

/** What a cloud plugin is asked with when a compute is looked at: an order and a token. */
export interface Payload {
  order: object
  token: object
}

/** About 1 KB, each with data of its own. */
export const smallPayloads = (count: number) =>
  Array.from({ length: count }, () => asStored(make()))

/** About 100 KB: the token carries the catalogue of a cloud's services, as those of Keystone do. */
export const largePayloads = (count: number) =>
  Array.from({ length: count }, () => asStored(withCatalogue(make())))

function make(): Payload {
  return {
    order: {
      orderId: randomUUID(),
      instanceId: randomUUID(),
      name: `node-${text(6)}`,
      owner: { id: text(16), identityProviderId: 'lab.example.org' },
      request: {
        name: `node-${text(6)}`,
        vCPU: randomInt(1, 16),
        ram: randomInt(1, 32) * 1024,
        disk: randomInt(10, 100),
        imageId: randomUUID(),
        publicKey: `ssh-ed25519 ${text(51)}`,
        networkIds: [randomUUID(), randomUUID()],
        userData: [
          {
            extraUserDataFileType: 'CLOUD_CONFIG',
            extraUserDataFileContent: text(60),
            tag: 'setup',
          },
        ],
        requirements: { zone: 'nova', pool: text(6) },
      },
    },
    token: {
      user: text(12),
      project: randomUUID(),
      value: text(90),
      expiresAt: Date.now() + randomInt(3_600_000),
    },
  }
}

function withCatalogue({ order, token }: Payload): Payload {
  const catalogue = Array.from({ length: 105 }, (_, at) => ({
    id: randomUUID(),
    type: `service-${at}`,
    name: text(9),
    enabled: true,
    endpoints: ['public', 'internal', 'admin'].map((side) => ({
      id: randomUUID(),
      interface: side,
      region: text(6),
      port: randomInt(1024, 65_536),
      url: `https://${text(9)}.cloud.example:${randomInt(1024, 65_536)}/v3/${randomUUID()}`,
    })),
  }))
  return { order, token: { ...token, catalogue } }
}

function text(length: number): string {
  return randomBytes(length).toString('base64url')
}

/** Orders and tokens come out of a store or a request, so their texts are whole, not pieces joined a moment ago. */
function asStored<T>(value: T): T {
  return JSON.parse(JSON.stringify(value))
}
