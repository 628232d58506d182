import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { PluginDefinition } from '@fogbow/plugin-sdk'
import {
  createFakeHost,
  type FakeHost,
  type PluginCaller,
  startInProcess,
} from '@fogbow/plugin-sdk/testing'
import plugin from '../../plugins-official/openstack/index.ts'
import { makeCertificates } from '../sdks/servers/certificates.ts'
import type { Project } from './openstack/api.ts'
import { type Front, putInFront } from './openstack/front.ts'
import { belongingsOf, nothing } from './openstack/inventory.ts'
import type { OpenStack } from './openstack/openstack.ts'
import { accountsSecret, pluginConfig } from './openstack/settings.ts'
import { eventually } from './site.ts'

const token = { account: 'demo' }
const owner = { id: 'ana', identityProviderId: 'site-a.test' }

interface Order {
  orderId: string
  name: string
  request: Record<string, unknown>
  owner: typeof owner
  instanceId?: string
}

/** What a cloud refuses, and how its users learn of it: what the plugin says of each, in the cloud's words. */
export function refusalTests(running: () => OpenStack): void {
  describe('what a cloud refuses', () => {
    let admin: Project
    let demo: Project
    let caller: PluginCaller
    before(async () => {
      admin = await running().logIn('admin')
      demo = await running().logIn('demo')
      caller = await startPlugin()
    })

    const startPlugin = (config: Record<string, unknown> = {}, accounts?: string) => {
      const host = createFakeHost({
        config: { ...pluginConfig(running()), ...config },
        secrets: { accounts: accounts ?? accountsSecret(running()) },
        fetch,
        now: Date.now(),
      })
      return startInProcess(
        plugin as unknown as PluginDefinition<Record<string, unknown>>,
        host as FakeHost<Record<string, unknown>>,
      )
    }
    const order = (request: Record<string, unknown>): Order => {
      const orderId = crypto.randomUUID()
      return { orderId, name: `order ${orderId}`, request, owner }
    }
    const compute = (request: Record<string, unknown> = {}) =>
      order({ imageId: running().image, vCPU: 1, ram: 64, disk: 0, ...request })
    const call = (method: string, asked: Order, by = caller) => by.call(method, [asked, token])
    const ready = async (kind: string, asked: Order): Promise<Order> => {
      const { instanceId } = (await call(`${kind}.requestInstance`, asked)) as {
        instanceId: string
      }
      const made = { ...asked, instanceId }
      await untilState(kind, made, 'READY')
      return made
    }
    const untilState = (kind: string, made: Order, wanted: string) =>
      eventually(`${kind} being ${wanted}`, async () => {
        const view = (await call(`${kind}.getInstance`, made)) as Record<string, unknown>
        return view.state === wanted ? { answer: view } : { problem: JSON.stringify(view) }
      })
    const gone = async (kind: string, made: Order) => {
      await call(`${kind}.deleteInstance`, made)
      await eventually(`the end of ${kind}`, async () => {
        try {
          return { problem: JSON.stringify(await call(`${kind}.getInstance`, made)) }
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'instance_not_found')
          return { answer: true }
        }
      })
    }
    after(async () => assert.deepEqual(await belongingsOf(demo, running()), nothing))

    test('a quota that is exceeded, of each of the three services', async () => {
      const path = `/os-quota-sets/${demo.id}`
      await admin.call('compute', 'PUT', path, { quota_set: { instances: 0 } })
      await admin.call('volumev3', 'PUT', path, { quota_set: { volumes: 0 } })
      await admin.call('network', 'PUT', `/quotas/${demo.id}`, { quota: { security_group: 1 } })
      try {
        const exceeded = { code: 'quota_exceeded', message: /quota/i }
        await assert.rejects(call('compute.requestInstance', compute()), exceeded)
        await assert.rejects(call('volume.requestInstance', order({ size: 1 })), exceeded)
        // The network itself is made before the cloud refuses the group of its rules: it does not stay.
        await assert.rejects(call('network.requestInstance', order({})), exceeded)
      } finally {
        await admin.call('compute', 'PUT', path, { quota_set: { instances: 200 } })
        await admin.call('volumev3', 'PUT', path, { quota_set: { volumes: 200 } })
        await admin.call('network', 'PUT', `/quotas/${demo.id}`, { quota: { security_group: 200 } })
      }
    })

    test('no host has room: the compute fails and says so', async () => {
      const asked = compute({ requirements: { flavor: 'impossible' } })
      const { instanceId } = (await call('compute.requestInstance', asked)) as {
        instanceId: string
      }
      const made = { ...asked, instanceId }
      const view = await untilState('compute', made, 'FAILED')
      assert.match(String(view.faultMessage), /No valid host was found/)
      await gone('compute', made)
    })

    test('an image that is gone, and a flavor that nothing has', async () => {
      const image = crypto.randomUUID()
      const refusal = { code: 'instance_not_found', message: new RegExp(image) }
      await assert.rejects(call('compute.requestInstance', compute({ imageId: image })), refusal)
      await assert.rejects(call('compute.requestInstance', compute({ vCPU: 4096 })), {
        code: 'unacceptable_operation',
        message: /no flavor of the cloud has 4096 vCPU/,
      })
    })

    test('a flavor that went since it was listed is chosen once and not again', async () => {
      const create = { flavor: { name: 'short-lived', vcpus: 3, ram: 100, disk: 1 } }
      const { flavor } = await admin.call('compute', 'POST', '/flavors', create)
      const other = await startPlugin()
      await other.call('spec.getAllSpecs', [token])
      await admin.call('compute', 'DELETE', `/flavors/${flavor.id}`)
      const wanted = { vCPU: 3 }
      await assert.rejects(call('compute.requestInstance', compute(wanted), other), {
        code: 'invalid_parameter',
        message: /Flavor .* could not be found/,
      })
      await assert.rejects(
        call(
          'compute.requestInstance',
          compute({ requirements: { flavor: 'short-lived' } }),
          other,
        ),
        { code: 'unacceptable_operation' },
      )
    })

    test('a network and a volume that are in use stay, and say by what they are held', async () => {
      const network = await ready('network', order({ cidr: '10.73.0.0/24' }))
      const machine = await ready('compute', compute({ networkIds: [network.instanceId] }))
      const volume = await ready('volume', order({ size: 1 }))
      const request = { computeId: machine.instanceId, volumeId: volume.instanceId }
      const attachment = await ready('attachment', order(request))
      const refusal = { code: 'unacceptable_operation' }
      await assert.rejects(call('network.deleteInstance', network), {
        ...refusal,
        message: /ports? still in use|in use/,
      })
      await assert.rejects(call('volume.deleteInstance', volume), {
        ...refusal,
        message: /attached/,
      })
      const second = order(request)
      await assert.rejects(call('attachment.requestInstance', second))
      // The second order never had an attachment: its deletion must leave that of the first one alone.
      await call('attachment.deleteInstance', second)
      assert.equal(
        ((await call('attachment.getInstance', attachment)) as { state: string }).state,
        'READY',
      )
      await gone('attachment', attachment)
      await call('attachment.deleteInstance', attachment)
      await untilState('volume', volume, 'READY')
      await gone('compute', machine)
      await gone('volume', volume)
      await gone('network', network)
    })

    test('a wrong password, and a user who is locked', async () => {
      const { username, project } = running().loginOf('demo')
      const wrong = JSON.stringify({ demo: { username, password: 'wrong', project } })
      const refusal = { code: 'unauthenticated' }
      const stranger = await startPlugin({}, wrong)
      await assert.rejects(call('volume.requestInstance', order({ size: 1 }), stranger), refusal)
      const { users } = await admin.call('identity', 'GET', '/users?name=other')
      const path = `/users/${users[0].id}`
      const login = { username: 'other', password: 'other-password', project: 'other' }
      const logIn = () => caller.call('tokenGenerator.createTokenValue', [login])
      const good = (await logIn()) as string
      await admin.call('identity', 'PATCH', path, { user: { enabled: false } })
      await assert.rejects(logIn(), refusal)
      await assert.rejects(
        caller.call('federationIdentity.getFederationUserToken', [good]),
        refusal,
      )
      await admin.call('identity', 'PATCH', path, { user: { enabled: true } })
      assert.equal(typeof (await logIn()), 'string')
    })

    test('a token that was revoked in Keystone logs nobody in any more', async () => {
      const careful = await startPlugin({
        login: { project: 'demo', recheckSeconds: 0, roles: { member: ['user'] } },
      })
      const { username, password } = running().loginOf('demo')
      const value = (await careful.call('tokenGenerator.createTokenValue', [
        { username, password },
      ])) as string
      const read = async () =>
        (await careful.call('federationIdentity.getFederationUserToken', [value])) as {
          roles: string[]
        }
      const user = await read()
      assert.deepEqual(user.roles, ['user'])
      assert.equal(await careful.call('authentication.isAuthentic', [user]), true)
      await revoke(value)
      await assert.rejects(read(), { code: 'unauthenticated' })
      assert.equal(await careful.call('authentication.isAuthentic', [user]), false)
    })

    const revoke = async (value: string) => {
      const headers = { 'x-auth-token': admin.token, 'x-subject-token': value }
      const url = `${running().authUrl}/auth/tokens`
      assert.equal((await fetch(url, { method: 'DELETE', headers })).status, 204)
    }

    test('a region that is not there, and a host that does not answer', async () => {
      const nowhere = await startPlugin({ region: 'Nowhere' })
      await assert.rejects(call('volume.requestInstance', order({ size: 1 }), nowhere), {
        code: 'configuration_error',
        message: /no region 'Nowhere'; regions are .*RegionOne/,
      })
      const { hostname } = new URL(running().authUrl)
      const silent = await startPlugin({ authUrl: `http://${hostname}:5999/v3` })
      await assert.rejects(call('volume.requestInstance', order({ size: 1 }), silent), {
        code: 'unavailable_provider',
        message: /identity does not answer: .*ECONNREFUSED/,
      })
    })

    test('a server whose certificate nobody vouches for gets no password', async () => {
      const { key, certificate: cert } = makeCertificates()
      const { hostname } = new URL(running().authUrl)
      let asked = 0
      const server = createServer({ key, cert }, (_request, answer) => {
        asked += 1
        answer.end('{}')
      })
      await once(server.listen(0, hostname), 'listening')
      const { port } = server.address() as AddressInfo
      const careful = await startPlugin({ authUrl: `https://${hostname}:${port}/v3` })
      await assert.rejects(call('volume.requestInstance', order({ size: 1 }), careful), {
        code: 'unavailable_provider',
        message: /identity does not answer: .*certificate/,
      })
      server.close()
      assert.equal(asked, 0)
    })

    describe('a catalogue without Cinder', () => {
      let front: Front
      let small: PluginCaller
      before(async () => {
        front = await putInFront(running(), 'WithoutVolumes', [
          'identity',
          'compute',
          'network',
          'image',
        ])
        small = await startPlugin({ region: front.region })
      })
      after(() => front?.close())

      test('volumes are refused for good, and all else works', async () => {
        await assert.rejects(call('volume.requestInstance', order({ size: 1 }), small), {
          code: 'not_implemented',
          message: /has no volume service in region 'WithoutVolumes'/,
        })
        const quota = (await small.call('quota.getUserQuota', [token])) as {
          totalQuota: Record<string, number>
        }
        assert.equal(quota.totalQuota.volumes, -1)
        assert.equal(quota.totalQuota.instances, 200)
      })
    })
  })
}
