import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Json, Project } from './openstack/api.ts'
import { LONGEST_PAGE } from './openstack/configuration.ts'
import { createImage } from './openstack/images.ts'
import { belongingsOf, nothing } from './openstack/inventory.ts'
import type { OpenStack } from './openstack/openstack.ts'
import { accountsFor, pluginConfig } from './openstack/settings.ts'
import { newOrder, ordersOf, startPlugin } from './plugin.ts'

/** What administrators can choose, and what each choice leads to in the cloud. */
export function choiceTests(running: () => OpenStack): void {
  describe('settings of the OpenStack plugin', () => {
    let admin: Project
    let demo: Project
    let other: Project
    before(async () => {
      admin = await running().logIn('admin')
      demo = await running().logIn('demo')
      other = await running().logIn('other')
    })
    after(async () => {
      for (const project of [demo, other])
        assert.deepEqual(await belongingsOf(project, running()), nothing)
    })

    const network = () => running().privateNetwork
    const compute = (more: Record<string, unknown> = {}) => ({
      imageId: running().image,
      vCPU: 1,
      ram: 64,
      ...more,
    })
    const volumesOf = async (project: Project): Promise<Json[]> =>
      (await project.call('volumev3', 'GET', '/volumes/detail')).volumes

    test('computes start from volumes of a type, which go with them', async () => {
      const settings = { defaultNetwork: network(), bootFrom: 'volume', volumeType: 'fast' }
      const { make, remove, call } = ordersOf(await startPlugin(running(), { compute: settings }))
      const order = await make('compute', compute({ disk: 2 }))
      const { server } = await demo.call('compute', 'GET', `/servers/${order.instanceId}`)
      assert.equal(server.image, '', 'it has a disk of its flavor')
      const [volume] = await volumesOf(demo)
      assert.deepEqual([volume.size, volume.volume_type, volume.bootable], [2, 'fast', 'true'])
      assert.equal(volume.attachments[0].server_id, order.instanceId)
      // Asked again it is the same one.
      const again = (await call('compute.requestInstance', order)) as { instanceId: string }
      assert.equal(again.instanceId, order.instanceId)
      assert.equal((await volumesOf(demo)).length, 1)
      await remove('compute', order)
    })

    test('a flavor without a disk starts from a volume, whatever is configured', async () => {
      const { make, remove } = ordersOf(await startPlugin(running()))
      const order = await make('compute', compute({ requirements: { flavor: 'diskless' } }))
      const [volume] = await volumesOf(demo)
      assert.deepEqual([volume.size, volume.bootable], [1, 'true'])
      await remove('compute', order)
    })

    test('a volume is of a type that has what is required, as the administrator wrote it down', async () => {
      const types = { standard: { 'storage:class': 'disk' }, fast: { 'storage:class': 'ssd' } }
      const { make, remove, call } = ordersOf(await startPlugin(running(), { volume: { types } }))
      const order = await make('volume', { size: 1, requirements: { 'storage:class': 'ssd' } })
      assert.deepEqual(
        (await volumesOf(demo)).map(({ volume_type }) => volume_type),
        ['fast'],
      )
      await remove('volume', order)
      const impossible = newOrder({ size: 1, requirements: { 'storage:class': 'tape' } })
      await assert.rejects(call('volume.requestInstance', impossible), {
        code: 'unacceptable_operation',
        message: /no volume type of the cloud has storage:class=tape/,
      })
    })

    test('of several external networks the configured one gives the addresses', async () => {
      const { network: second } = await admin.call('network', 'POST', '/networks', {
        network: { name: 'second', 'router:external': true },
      })
      try {
        const undecided = ordersOf(await startPlugin(running()))
        const machine = await undecided.make('compute', compute())
        const request = { computeId: machine.instanceId }
        await assert.rejects(undecided.call('publicIp.requestInstance', newOrder(request)), {
          code: 'configuration_error',
          message: /2 external networks: set network.externalNetwork to the id of one; .*second/,
        })
        const { publicNetwork } = running()
        const settings = { network: { externalNetwork: publicNetwork } }
        const decided = ordersOf(await startPlugin(running(), settings))
        const address = await decided.make('publicIp', request)
        const { floatingips } = await demo.call('network', 'GET', '/floatingips')
        assert.deepEqual(
          floatingips.map((each: Json) => each.floating_network_id),
          [publicNetwork],
        )
        await decided.remove('publicIp', address)
        await undecided.remove('compute', machine)
      } finally {
        await admin.call('network', 'DELETE', `/networks/${second.id}`)
      }
    })

    test('endpoints are those of the configured region and interface', async () => {
      const { services } = await admin.call('identity', 'GET', '/services?type=volumev3')
      const { endpoints } = await admin.call('identity', 'GET', '/endpoints?region_id=RegionOne')
      const id = services[0].id
      const { url } = endpoints.find((each: Json) => each.service_id === id)
      await admin.call('identity', 'POST', '/regions', { region: { id: 'Inside' } })
      const inside = { service_id: id, region_id: 'Inside', interface: 'internal', url }
      const { endpoint } = await admin.call('identity', 'POST', '/endpoints', { endpoint: inside })
      try {
        const chosen = { region: 'Inside', interface: 'internal' }
        const { make, remove } = ordersOf(await startPlugin(running(), chosen))
        await remove('volume', await make('volume', { size: 1 }))
        const outside = ordersOf(await startPlugin(running(), { region: 'Inside' }))
        await assert.rejects(outside.call('volume.requestInstance', newOrder({ size: 1 })), {
          code: 'not_implemented',
          message: /no volume service in region 'Inside': .* no public endpoint/,
        })
      } finally {
        await admin.call('identity', 'DELETE', `/endpoints/${endpoint.id}`)
        await admin.call('identity', 'DELETE', '/regions/Inside')
      }
    })

    test('images that fill more than one page of the cloud are all listed', async () => {
      const { caller } = await startPlugin(running())
      const list = async () =>
        (await caller.call('image.getAllImages', [{ account: 'demo' }])) as { name: string }[]
      const before = (await list()).length
      const names = Array.from({ length: LONGEST_PAGE }, (_, n) => `image ${n}`)
      const made = await Promise.all(names.map((name) => createImage(demo, name)))
      try {
        const page = await demo.call('image', 'GET', '/images?limit=100')
        assert.equal(page.images.length, LONGEST_PAGE, 'the cloud gives no more at once')
        const listed = (await list()).map(({ name }) => name)
        assert.equal(listed.length, before + names.length)
        assert.deepEqual(listed.filter((name) => names.includes(name)).sort(), names)
      } finally {
        for (const id of made) await demo.call('image', 'DELETE', `/images/${id}`)
      }
    })

    test('an application credential is an account, without any password', async () => {
      const { users } = await admin.call('identity', 'GET', '/users?name=demo')
      const path = `/users/${users[0].id}/application_credentials`
      const body = { application_credential: { name: 'fogbow' } }
      const made = (await demo.call('identity', 'POST', path, body)).application_credential
      const credential = {
        applicationCredentialId: made.id,
        applicationCredentialSecret: made.secret,
      }
      const accounts = JSON.stringify({ app: credential })
      const plugin = await startPlugin(running(), {}, accounts)
      const { make, remove } = ordersOf(plugin, 'app')
      const order = await make('volume', { size: 1 })
      assert.equal((await volumesOf(demo)).length, 1)
      await remove('volume', order)
      const value = await plugin.caller.call('tokenGenerator.createTokenValue', [credential])
      const user = await plugin.caller.call('federationIdentity.getFederationUserToken', [value])
      assert.equal((user as { name: string }).name, 'demo')
      await demo.call('identity', 'DELETE', `${path}/${made.id}`)
    })

    test('users have accounts of their own, by role and by home site, and nobody has another', async () => {
      const names = {
        'ana@site-a.test': 'demo',
        'role:student@site-b.test': 'demo',
        '*@site-b.test': 'other',
      }
      const plugin = await startPlugin(running(), {}, accountsFor(running(), names))
      const projectOf = async (id: string, identityProviderId: string, ...roles: string[]) => {
        const user = { id, identityProviderId, name: id, roles }
        const token = (await plugin.caller.call('federationToLocalMapper.getToken', [user])) as {
          account: string
        }
        const { make, remove } = ordersOf(plugin, token.account)
        const order = await make('volume', { size: 1 })
        const counts = [(await volumesOf(demo)).length, (await volumesOf(other)).length]
        await remove('volume', order)
        return counts
      }
      const [inDemo, inOther] = [
        [1, 0],
        [0, 1],
      ]
      assert.deepEqual(await projectOf('ana', 'site-a.test'), inDemo)
      assert.deepEqual(await projectOf('bob', 'site-b.test', 'student'), inDemo)
      assert.deepEqual(await projectOf('eve', 'site-b.test'), inOther)
      await assert.rejects(projectOf('eve', 'site-a.test'), { code: 'unauthorized' })
    })

    test('a token is renewed before it expires, and when the cloud does not take it any more', async () => {
      const plugin = await startPlugin(running())
      const { make, remove } = ordersOf(plugin)
      const order = await make('volume', { size: 1 })
      assert.equal(plugin.tokens.length, 1, 'one token serves many calls')
      await revoke(plugin.tokens[0])
      // A service that was shown this token before remembers for a while that it was good.
      const images = await plugin.caller.call('image.getAllImages', [{ account: 'demo' }])
      assert.equal((images as unknown[]).length, 1)
      assert.equal(plugin.tokens.length, 2)
      await plugin.clock.advance(LIFETIME_MS - BEFORE_ITS_END_MS)
      await remove('volume', order)
      assert.equal(plugin.tokens.length, 3)
    })

    const revoke = async (value = '') => {
      const headers = { 'x-auth-token': admin.token, 'x-subject-token': value }
      const url = `${pluginConfig(running()).authUrl}/auth/tokens`
      assert.equal((await fetch(url, { method: 'DELETE', headers })).status, 204)
    }
  })
}

const LIFETIME_MS = 3_600_000
/** While the cloud would still take it. */
const BEFORE_ITS_END_MS = 90_000
