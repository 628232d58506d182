import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Project } from './openstack/api.ts'
import { type Fault, type Front, putInFront } from './openstack/front.ts'
import { belongingsOf, nothing } from './openstack/inventory.ts'
import type { OpenStack } from './openstack/openstack.ts'
import { type CloudSite, eventually, sshKey, startCloudSite, until } from './site.ts'

const kinds = [
  ['publicIp', 'publicIps'],
  ['attachment', 'attachments'],
  ['compute', 'computes'],
  ['volume', 'volumes'],
  ['network', 'networks'],
] as const

const OUTAGE_MS = 60_000
/** More than the plugin waits for by itself. */
const PAUSE_SECONDS = 7

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
    const remove = async (name: string, path: string) => {
      assert.equal((await site.admin.delete(`/ras/${path}/${ids[name]}`)).status, 200)
      await until(site.admin, `/ras/${path}/${ids[name]}`, 'GONE')
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
      for (const [kind, path] of kinds) await remove(kind, path)
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

    test('the answers to a rule and to a snapshot are lost: asked for again, each is there once', async () => {
      await make('network', 'networks', { cidr: '10.75.0.0/24' })
      await make('compute', 'computes', { imageId: running().image, ram: 64 })
      await site.admin.post(`/ras/computes/${ids.compute}/pause`)
      await until(site.admin, `/ras/computes/${ids.compute}`, 'PAUSED')
      front.fail({
        service: 'network',
        method: 'POST',
        path: /security-group-rules$/,
        answer: 'cut',
      })
      front.fail({ service: 'compute', method: 'POST', path: /\/action$/, answer: 'cut' })
      const range = { portFrom: 22, portTo: 22, cidr: '192.0.2.0/24' }
      const rule = { protocol: 'TCP', direction: 'IN', ...range }
      for (const [path, body] of [
        [`/ras/networks/${ids.network}/securityRules`, rule],
        [`/ras/computes/${ids.compute}/snapshot`, { name: 'once' }],
      ] as const) {
        const { status, body: said } = await site.admin.post(path, body)
        assert.ok(status >= 500, `${path} was answered with ${status} ${JSON.stringify(said)}`)
        await eventually(`${path} being taken`, async () => {
          const again = await site.admin.post(path, body)
          return again.status === 201
            ? { answer: true }
            : { problem: `${again.status} ${JSON.stringify(again.body)}` }
        })
      }
      const list = '/security-group-rules?remote_ip_prefix=192.0.2.0/24'
      const { security_group_rules: rules } = await demo.call('network', 'GET', list)
      assert.equal(rules.length, 1)
      const { images } = await belongingsOf(demo, running())
      assert.equal(images.length, 1)
      await demo.call('image', 'DELETE', `/images/${images[0]}`)
      await remove('compute', 'computes')
      await remove('network', 'networks')
      assert.deepEqual(await belongingsOf(demo, running()), nothing)
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

    test('a service that asks for a pause is not asked before it is over', async () => {
      const headers = { 'retry-after': String(PAUSE_SECONDS) }
      const from = front.passed.length
      const look = { service: 'compute', method: 'GET', path: /servers\/detail/ } as const
      const create = { service: 'volumev3', method: 'POST', path: /\/volumes$/ } as const
      front.fail({ ...look, answer: { status: 429, headers } })
      front.fail({ ...create, answer: { status: 503, headers } })
      await Promise.all([
        make('compute', 'computes', { imageId: running().image, ram: 64 }),
        make('volume', 'volumes', { size: 1 }),
      ])
      for (const { service } of [look, create]) {
        const passed = front.passed.slice(from).filter((each) => each.service === service)
        const refused = passed.findIndex(({ status }) => status === 429 || status === 503)
        const [refusal, next] = passed.slice(refused)
        assert.ok(refusal && next, `${service} was not asked again`)
        const pausedMs = next.at - refusal.at
        assert.ok(pausedMs >= PAUSE_SECONDS * 1000, `${service} was asked after ${pausedMs} ms`)
      }
      await remove('compute', 'computes')
      await remove('volume', 'volumes')
      assert.deepEqual(await belongingsOf(demo, running()), nothing)
    })

    test('a cloud that is down for a minute fails no order, old or new', async () => {
      await make('old', 'computes', { imageId: running().image, ram: 64 })
      await front.down()
      const minute = pause(OUTAGE_MS)
      const path = `/ras/computes/${ids.old}`
      ids.new = await site.admin.create('/ras/computes', { imageId: running().image, ram: 64 })
      await until(site.admin, path, 'UNKNOWN')
      await site.restart()
      await until(site.admin, path, 'UNKNOWN')
      await minute
      for (const [name, state] of [
        ['old', 'UNKNOWN'],
        ['new', 'DISPATCHED'],
      ] as const) {
        const { body } = await site.admin.get(`/ras/computes/${ids[name]}`)
        const { state: now, faultMessage } = body as { state: string; faultMessage: string }
        assert.equal(now, state)
        assert.match(faultMessage, /does not answer: .*ECONNREFUSED/)
      }
      await front.up()
      await until(site.admin, path, 'READY')
      await until(site.admin, `/ras/computes/${ids.new}`, 'READY')
      assert.equal((await belongingsOf(demo, running())).servers.length, 2)
      for (const name of ['old', 'new']) await remove(name, 'computes')
      assert.deepEqual(await belongingsOf(demo, running()), nothing)
    })
  })
}
