import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Project } from './openstack/api.ts'
import { type Fault, type Front, putInFront } from './openstack/front.ts'
import { belongingsOf, nothing } from './openstack/inventory.ts'
import type { OpenStack } from './openstack/openstack.ts'
import { type CloudSite, sshKey, startCloudSite, until } from './site.ts'

const kinds = [
  ['publicIp', 'publicIps'],
  ['attachment', 'attachments'],
  ['compute', 'computes'],
  ['volume', 'volumes'],
  ['network', 'networks'],
] as const

/** Every request that makes something, or connects what was made. */
const creating: readonly [service: Fault['service'], method: string, path: RegExp][] = [
  ['network', 'POST', /^\/v2\.0\/networks$/],
  ['network', 'POST', /\/subnets$/],
  ['network', 'POST', /\/security-groups$/],
  ['network', 'PUT', /\/add_router_interface$/],
  ['network', 'POST', /\/ports$/],
  ['compute', 'POST', /\/os-keypairs$/],
  ['compute', 'POST', /\/servers$/],
  ['volumev3', 'POST', /\/volumes$/],
  ['compute', 'POST', /\/os-volume_attachments$/],
  ['network', 'POST', /\/floatingips$/],
  ['network', 'PUT', /\/floatingips\//],
  ['network', 'PUT', /\/ports\//],
]

/** Faults between a site and its cloud: orders get there all the same, and nothing is in the cloud twice or for nobody. */
export function faultTests(running: () => OpenStack): void {
  describe('between a site and its cloud', () => {
    let front: Front
    let site: CloudSite
    let demo: Project
    const ids: Record<string, string> = {}

    before(async () => {
      const cloud = running()
      front = await putInFront(cloud, 'Faulty')
      site = await startCloudSite(cloud, {
        plugin: {
          authUrl: front.authUrl,
          region: front.region,
          network: { router: cloud.router },
        },
        orders: {
          firstRetryMs: 300,
          longestRetryMs: 2000,
          firstHealthCheckMs: 1000,
          longestHealthCheckMs: 1000,
        },
      })
      demo = await cloud.logIn('demo')
    })
    after(async () => {
      await site?.stop()
      await front?.close()
    })

    const make = async (name: string, path: string, body: unknown) => {
      ids[name] = await site.admin.create(`/ras/${path}`, body)
      await until(site.admin, `/ras/${path}/${ids[name]}`, 'READY')
    }
    const makeAll = async () => {
      const { image } = running()
      await make('network', 'networks', { cidr: '10.72.0.0/24' })
      const publicKey = sshKey()
      const networkIds = [ids.network]
      await make('compute', 'computes', { imageId: image, ram: 64, publicKey, networkIds })
      await make('volume', 'volumes', { size: 1 })
      await make('attachment', 'attachments', { computeId: ids.compute, volumeId: ids.volume })
      await make('publicIp', 'publicIps', { computeId: ids.compute })
    }
    const deleteAll = async () => {
      for (const [kind, path] of kinds) {
        assert.equal((await site.admin.delete(`/ras/${path}/${ids[kind]}`)).status, 200)
        await until(site.admin, `/ras/${path}/${ids[kind]}`, 'GONE')
      }
      assert.deepEqual(await belongingsOf(demo, running()), nothing)
    }
    const assertEachOnce = async () => {
      const found = await belongingsOf(demo, running())
      const counts = Object.fromEntries(Object.entries(found).map(([k, { length }]) => [k, length]))
      assert.deepEqual(counts, {
        servers: 1,
        volumes: 1,
        networks: 1,
        // One in the default network and one in that which was ordered, with the router's, and the address's.
        ports: 2,
        floatingips: 1,
        security_groups: 2,
        keypairs: 0,
        images: 0,
      })
    }

    test('the answer to every creating request is lost once: each thing is there once', async () => {
      const cuts = creating.map(([service, method, path]) => ({
        path,
        left: front.fail({ service, method, path, answer: 'cut' }).left,
      }))
      await makeAll()
      const never = cuts.filter(({ left }) => left() > 0).map(({ path }) => String(path))
      assert.deepEqual(never, [], 'not every fault happened')
      await assertEachOnce()
    })

    test('the answer to every deletion is lost once: nothing is left', async () => {
      for (const service of ['network', 'compute', 'volumev3'] as const)
        front.fail({ service, method: 'DELETE', path: /./, times: 2, answer: 'cut' })
      await deleteAll()
    })

    for (const [what, answer] of [
      ['401', { status: 401, body: { error: { message: 'token expired' } } }],
      ['429', { status: 429, headers: { 'retry-after': '1' } }],
      ['500', { status: 500 }],
      ['503', { status: 503, headers: { 'retry-after': '1' } }],
    ] as const)
      test(`every service answers ${what} to what it is asked first: the order gets there, once`, async () => {
        for (const [service, method, path] of creating)
          front.fail({ service, method, path, answer })
        for (const service of ['network', 'compute', 'volumev3'] as const)
          front.fail({ service, method: 'GET', path: /./, answer })
        await makeAll()
        await assertEachOnce()
        await deleteAll()
      })

    test('a cloud that is down for a while fails no order, old or new', async () => {
      await make('old', 'computes', { imageId: running().image, ram: 64 })
      await front.down()
      const path = `/ras/computes/${ids.old}`
      ids.new = await site.admin.create('/ras/computes', { imageId: running().image, ram: 64 })
      await until(site.admin, path, 'UNKNOWN')
      await site.restart()
      await until(site.admin, path, 'UNKNOWN')
      await front.up()
      await until(site.admin, path, 'READY')
      await until(site.admin, `/ras/computes/${ids.new}`, 'READY')
      assert.equal((await belongingsOf(demo, running())).servers.length, 2)
      for (const name of ['old', 'new']) {
        await site.admin.delete(`/ras/computes/${ids[name]}`)
        await until(site.admin, `/ras/computes/${ids[name]}`, 'GONE')
      }
      assert.deepEqual(await belongingsOf(demo, running()), nothing)
    })
  })
}
