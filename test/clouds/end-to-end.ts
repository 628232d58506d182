import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Json, Project } from './openstack/api.ts'
import { belongingsOf, nothing } from './openstack/inventory.ts'
import type { OpenStack } from './openstack/openstack.ts'
import { type CloudSite, eventually, sshKey, startCloudSite, until } from './site.ts'

const userData = [
  {
    extraUserDataFileContent: Buffer.from('#!/bin/sh\necho hello\n').toString('base64'),
    extraUserDataFileType: 'SHELL_SCRIPT',
  },
]

/** Everything that can be ordered, over REST, with every step looked at in the cloud itself. */
export function endToEndTests(running: () => OpenStack): void {
  describe('a user of a site', () => {
    let site: CloudSite
    let demo: Project
    const ids: Record<string, string> = {}
    const instances: Record<string, string> = {}

    before(async () => {
      const cloud = running()
      site = await startCloudSite(cloud, {
        plugin: { network: { router: cloud.router, dnsServers: ['192.0.2.53'] } },
      })
      demo = await cloud.logIn('demo')
    })
    after(() => site?.stop())

    const order = async (kind: string, path: string, body: unknown) => {
      ids[kind] = await site.admin.create(`/ras/${path}`, body)
      return until(site.admin, `/ras/${path}/${ids[kind]}`, 'READY')
    }
    const only = async (type: Parameters<Project['call']>[0], path: string, key: string) => {
      const found: Json[] = (await demo.call(type, 'GET', path))[key]
      assert.equal(found.length, 1, `${path}: ${JSON.stringify(found)}`)
      return found[0]
    }
    const compute = () => `/ras/computes/${ids.compute}`
    const server = async () =>
      (await demo.call('compute', 'GET', `/servers/${instances.compute}`)).server

    test('sees images, flavors and the quota of the account', async () => {
      const { body: images } = await site.admin.get('/ras/images/site-a.test/lab')
      assert.deepEqual(images, [{ id: running().image, name: 'tiny' }])
      const { body: quota } = await site.admin.get('/ras/quota/site-a.test/lab')
      assert.equal((quota as Json).totalQuota.instances, 200)
      assert.equal((quota as Json).usedQuota.instances, 0)
    })

    test('orders a network: it has a subnet, name servers and a way out', async () => {
      const view = await order('network', 'networks', {
        name: 'Büro & <b>Netz</b>',
        cidr: '10.71.0.0/24',
        gateway: '10.71.0.9',
      })
      assert.equal(view.cidr, '10.71.0.0/24')
      assert.equal(view.gateway, '10.71.0.9')
      const network = await only(
        'network',
        `/networks?description=fogbow-${ids.network}`,
        'networks',
      )
      instances.network = network.id
      assert.equal(network.name, 'Büro & <b>Netz</b>')
      const subnet = await only('network', `/subnets?network_id=${network.id}`, 'subnets')
      assert.deepEqual(subnet.dns_nameservers, ['192.0.2.53'])
      const ports = `/ports?network_id=${network.id}&device_id=${running().router}`
      await only('network', ports, 'ports')
    })

    test('orders a compute in it: key, user data, flavor and rules are those asked for', async () => {
      const view = await order('compute', 'computes', {
        name: 'worker',
        imageId: running().image,
        vCPU: 1,
        ram: 1000,
        requirements: { 'storage:class': 'ssd' },
        publicKey: sshKey(),
        userData,
        networkIds: [ids.network],
      })
      assert.deepEqual([view.vCPU, view.ram, view.disk], [2, 2048, 20])
      const found = await only('compute', `/servers/detail?tags=fogbow-${ids.compute}`, 'servers')
      instances.compute = found.id
      assert.equal(found.flavor.original_name, 'fast')
      assert.equal(found.status, 'ACTIVE')
      assert.equal(found.key_name, `fogbow-${ids.compute}`)
      assert.deepEqual((await belongingsOf(demo, running())).keypairs, [], 'the key pair stays')
      const path = `/ports?device_id=${found.id}&network_id=${instances.network}`
      const port = await only('network', path, 'ports')
      const group = await only(
        'network',
        `/security-groups?name=fogbow-${instances.network}`,
        'security_groups',
      )
      assert.deepEqual(port.security_groups, [group.id])
      assert.ok((view.ipAddresses as string[]).includes(port.fixed_ips[0].ip_address))
    })

    test('orders a volume and attaches it', async () => {
      await order('volume', 'volumes', {
        name: 'disk',
        size: 3,
        requirements: { type: 'fast' },
      })
      const attached = await order('attachment', 'attachments', {
        computeId: ids.compute,
        volumeId: ids.volume,
      })
      assert.match(String(attached.device), /^\/dev\//)
      const volume = await only('volumev3', '/volumes/detail', 'volumes')
      assert.deepEqual([volume.size, volume.volume_type, volume.status], [3, 'fast', 'in-use'])
      assert.equal(volume.attachments[0].server_id, instances.compute)
    })

    test('orders a public IP, which leads to the compute', async () => {
      const { ip } = await order('publicIp', 'publicIps', { computeId: ids.compute })
      const address = await only('network', '/floatingips', 'floatingips')
      assert.equal(address.floating_ip_address, ip)
      const { port } = await demo.call('network', 'GET', `/ports/${address.port_id}`)
      assert.equal(port.device_id, instances.compute)
      assert.equal(port.security_groups.length, 2)
    })

    for (const [kind, path] of [
      ['network', 'networks'],
      ['publicIp', 'publicIps'],
    ] as const)
      test(`opens a port of a ${kind} and closes it`, async () => {
        const parent = `/ras/${path}/${ids[kind]}/securityRules`
        const rule = {
          protocol: 'TCP',
          direction: 'IN',
          cidr: '192.0.2.0/24',
          portFrom: 22,
          portTo: 23,
        }
        const id = await site.admin.create(parent, rule)
        const found = await demo.call('network', 'GET', `/security-group-rules/${id}`)
        assert.equal(found.security_group_rule.port_range_max, 23)
        const { body } = await site.admin.get(parent)
        assert.ok((body as Json[]).some((each) => each.id === id))
        assert.equal((await site.admin.delete(`${parent}/${id}`)).status, 200)
        await assert.rejects(demo.call('network', 'GET', `/security-group-rules/${id}`), /404/)
      })

    for (const [action, after, status] of [
      ['pause', 'PAUSED', 'PAUSED'],
      ['hibernate', 'HIBERNATED', 'SUSPENDED'],
      ['stop', 'STOPPED', 'SHUTOFF'],
    ] as const)
      test(`can ${action} a compute and resume it`, async () => {
        assert.ok((await site.admin.post(`${compute()}/${action}`)).status < 300)
        await until(site.admin, compute(), after)
        assert.equal((await server()).status, status)
        assert.ok((await site.admin.post(`${compute()}/resume`)).status < 300)
        await until(site.admin, compute(), 'READY')
        assert.equal((await server()).status, 'ACTIVE')
      })

    test('makes an image of a compute that is paused', async () => {
      await site.admin.post(`${compute()}/pause`)
      await until(site.admin, compute(), 'PAUSED')
      const answer = await site.admin.post(`${compute()}/snapshot`, { name: 'before the update' })
      assert.equal(answer.status, 201)
      const image = await eventually('the snapshot', async () => {
        const found = (await demo.call('image', 'GET', '/images?name=before the update')).images[0]
        return found?.status === 'active' ? { answer: found } : { problem: JSON.stringify(found) }
      })
      const { body } = await site.admin.get('/ras/images/site-a.test/lab')
      assert.ok((body as Json[]).some(({ id }) => id === image.id))
      await demo.call('image', 'DELETE', `/images/${image.id}`)
    })

    test('deletes it all, what depends on others first, and nothing is left in the cloud', async () => {
      for (const [kind, path] of [
        ['publicIp', 'publicIps'],
        ['attachment', 'attachments'],
        ['compute', 'computes'],
        ['volume', 'volumes'],
        ['network', 'networks'],
      ] as const) {
        assert.equal((await site.admin.delete(`/ras/${path}/${ids[kind]}`)).status, 200)
        await until(site.admin, `/ras/${path}/${ids[kind]}`, 'GONE')
      }
      assert.deepEqual(await belongingsOf(demo, running()), nothing)
    })
  })
}
