import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { makeCertificates } from '../sdks/servers/certificates.ts'
import type { Project } from './openstack/api.ts'
import { type Front, putInFront } from './openstack/front.ts'
import { belongingsOf, nothing } from './openstack/inventory.ts'
import type { OpenStack } from './openstack/openstack.ts'
import { type CloudSite, eventually, startCloudSite, until } from './site.ts'

/** What a cloud refuses: what becomes of an order, what its owner reads, and that nothing of it stays in the cloud. */
export function refusalTests(running: () => OpenStack): void {
  describe('what a cloud refuses', () => {
    let admin: Project
    let demo: Project
    let front: Front
    let stranger: Stranger
    let site: CloudSite
    before(async () => {
      const cloud = running()
      const { hostname } = new URL(cloud.authUrl)
      admin = await cloud.logIn('admin')
      demo = await cloud.logIn('demo')
      front = await putInFront(cloud, 'WithoutVolumes', ['identity', 'compute', 'network', 'image'])
      stranger = await startStranger(hostname)
      const wrong = { ...cloud.loginOf('demo'), password: 'wrong' }
      site = await startCloudSite(cloud, {
        orders: { firstRetryMs: 300, longestRetryMs: 1000 },
        others: {
          'wrong-password': { plugin: {}, accounts: JSON.stringify({ demo: wrong }) },
          'no-region': { plugin: { region: 'Nowhere' } },
          silent: { plugin: { authUrl: `http://${hostname}:5999/v3` } },
          stranger: { plugin: { authUrl: stranger.url } },
          'no-volumes': { plugin: { region: front.region } },
        },
      })
    })
    after(async () => {
      await site?.stop()
      stranger?.close()
      await front?.close()
    })

    const compute = (more: Record<string, unknown> = {}) => ({
      imageId: running().image,
      vCPU: 1,
      ram: 64,
      ...more,
    })
    const path = (kind: string, id: string) => `/ras/${kind}/${id}`
    const make = async (kind: string, request: object): Promise<string> => {
      const id = await site.admin.create(`/ras/${kind}`, request)
      await until(site.admin, path(kind, id), 'READY')
      return id
    }
    const remove = async (kind: string, id: string) => {
      assert.equal((await site.admin.delete(path(kind, id))).status, 200)
      await until(site.admin, path(kind, id), 'GONE')
    }
    const assertNothing = async () =>
      assert.deepEqual(await belongingsOf(demo, running()), nothing, 'something stays')
    /** The order fails with these words, leaves nothing, and can be deleted. */
    const fails = async (kind: string, request: object, words: RegExp, state = 'ERROR') => {
      const id = await site.admin.create(`/ras/${kind}`, request)
      const { faultMessage } = await until(site.admin, path(kind, id), state)
      assert.match(String(faultMessage), words)
      if (state === 'ERROR') await assertNothing()
      await remove(kind, id)
      await assertNothing()
    }
    const says = (kind: string, id: string, state: string, words: RegExp) =>
      eventually(`${kind} ${id} being ${state} because of ${words}`, async () => {
        const { body } = await site.admin.get(path(kind, id))
        const { state: now, faultMessage } = body as { state: string; faultMessage: string }
        const isSo = now === state && words.test(faultMessage)
        return isSo ? { answer: true } : { problem: JSON.stringify(body) }
      })

    // First, because flavors are remembered for a while.
    test('a flavor that went since it was listed fails the order, and is not chosen again', async () => {
      const create = { flavor: { name: 'short-lived', vcpus: 3, ram: 100, disk: 1 } }
      const { flavor } = await admin.call('compute', 'POST', '/flavors', create)
      const wanted = compute({ requirements: { flavor: 'short-lived' } })
      await remove('computes', await make('computes', wanted))
      await admin.call('compute', 'DELETE', `/flavors/${flavor.id}`)
      await fails('computes', wanted, /Flavor .* could not be found/)
      await fails('computes', wanted, /no flavor of the cloud has/)
    })

    test('a flavor that nothing has, and an image that is gone', async () => {
      await fails('computes', compute({ vCPU: 4096 }), /no flavor of the cloud has 4096 vCPU/)
      const imageId = crypto.randomUUID()
      await fails('computes', compute({ imageId }), new RegExp(`image '${imageId}' does not exist`))
    })

    test('a quota that is exceeded, of each of the three services', async () => {
      const quotas = `/os-quota-sets/${demo.id}`
      const change = async (instances: number, volumes: number, security_group: number) => {
        await admin.call('compute', 'PUT', quotas, { quota_set: { instances } })
        await admin.call('volumev3', 'PUT', quotas, { quota_set: { volumes } })
        await admin.call('network', 'PUT', `/quotas/${demo.id}`, { quota: { security_group } })
      }
      await change(0, 0, 1)
      try {
        await fails('computes', compute(), /Quota exceeded for instances/)
        await fails('volumes', { size: 1 }, /VolumeLimitExceeded|allowed number of volumes/i)
        // The network itself is made before the cloud refuses the group of its rules: it does not stay.
        await fails('networks', {}, /Quota exceeded for resources: \['security_group'\]/)
      } finally {
        await change(PLENTY, PLENTY, PLENTY)
      }
    })

    test('no host has room: the compute fails and says so', () =>
      fails(
        'computes',
        compute({ requirements: { flavor: 'impossible' } }),
        /No valid host was found/,
        'FAILED',
      ))

    test('a network that something else uses stays until it is free, and says why', async () => {
      const id = await make('networks', { cidr: '10.73.0.0/24' })
      const { networks } = await demo.call('network', 'GET', `/networks?description=fogbow-${id}`)
      const fields = { port: { network_id: networks[0].id } }
      const { port } = await demo.call('network', 'POST', '/ports', fields)
      await site.admin.delete(path('networks', id))
      await says('networks', id, 'DELETING', /Not deleted yet.*in use/)
      assert.equal((await belongingsOf(demo, running())).networks.length, 1)
      await demo.call('network', 'DELETE', `/ports/${port.id}`)
      await until(site.admin, path('networks', id), 'GONE')
      await assertNothing()
    })

    test('volumes in use, and a detachment of what is detached', async () => {
      const machine = await make('computes', compute())
      const disk = await make('volumes', { size: 1 })
      const request = { computeId: machine, volumeId: disk }
      const [server, volume] = await cloudIds(demo)
      const attachments = `/servers/${server}/os-volume_attachments`
      const isNow = (status: 'available' | 'in-use') =>
        eventually(`the volume being ${status}`, async () => {
          const { volume: now } = await demo.call('volumev3', 'GET', `/volumes/${volume}`)
          return now.status === status ? { answer: true } : { problem: now.status }
        })

      // A second order for what is attached fails, and its end leaves the first one alone.
      const attachment = await make('attachments', request)
      const second = await site.admin.create('/ras/attachments', request)
      const { faultMessage } = await until(site.admin, path('attachments', second), 'ERROR')
      assert.match(String(faultMessage), /in-use in the cloud: it can be attached only when avail/)
      await remove('attachments', second)
      const { volume: now } = await demo.call('volumev3', 'GET', `/volumes/${volume}`)
      assert.equal(now.attachments[0]?.server_id, server)

      // Somebody detaches it behind the back of the site.
      await demo.call('compute', 'DELETE', `${attachments}/${volume}`)
      await isNow('available')
      await remove('attachments', attachment)
      await isNow('available')

      // Somebody attaches it behind the back of the site.
      const body = { volumeAttachment: { volumeId: volume } }
      await demo.call('compute', 'POST', attachments, body)
      await isNow('in-use')
      await site.admin.delete(path('volumes', disk))
      await says('volumes', disk, 'DELETING', /Not deleted yet.*must be available/)
      await demo.call('compute', 'DELETE', `${attachments}/${volume}`)
      await until(site.admin, path('volumes', disk), 'GONE')
      await remove('computes', machine)
      await assertNothing()
    })

    for (const [what, cloudName, words] of [
      ['a wrong password', 'wrong-password', /requires authentication/],
      ['a region that is not there', 'no-region', /no region 'Nowhere'; regions are .*RegionOne/],
      ['a refused connection', 'silent', /identity does not answer: .*ECONNREFUSED/],
      ['a wrong certificate', 'stranger', /identity does not answer: .*certificate/],
    ] as const)
      test(`${what}: orders wait, and say for what`, async () => {
        const id = await site.admin.create('/ras/volumes', { cloudName, size: 1 })
        await says('volumes', id, 'DISPATCHED', words)
        await assertNothing()
      })

    test('who has the wrong certificate was told nothing', () => assert.equal(stranger.asked(), 0))

    test('a catalogue without Cinder: volumes are refused for good, and all else works', async () => {
      const cloudName = 'no-volumes'
      await fails('volumes', { cloudName, size: 1 }, /no volume service in region 'WithoutVolumes'/)
      const { body } = await site.admin.get('/ras/quota/site-a.test/no-volumes')
      const { totalQuota } = body as { totalQuota: Record<string, number> }
      assert.deepEqual([totalQuota.volumes, totalQuota.instances], [-1, PLENTY])
      await remove('computes', await make('computes', compute({ cloudName })))
      await assertNothing()
    })
  })
}

const PLENTY = 200

/** Of the only server and the only volume. */
async function cloudIds(demo: Project): Promise<[server: string, volume: string]> {
  const { servers } = await demo.call('compute', 'GET', '/servers')
  const { volumes } = await demo.call('volumev3', 'GET', '/volumes')
  return [servers[0].id, volumes[0].id]
}

/** A server with a certificate that nobody vouches for. */
interface Stranger {
  readonly url: string
  /** How many requests it got. */
  asked(): number
  close(): void
}

async function startStranger(host: string): Promise<Stranger> {
  const { key, certificate: cert } = makeCertificates()
  let asked = 0
  const server = createServer({ key, cert }, (_request, answer) => {
    asked += 1
    answer.end('{}')
  })
  await once(server.listen(0, host), 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `https://${host}:${port}/v3`, asked: () => asked, close: () => server.close() }
}
