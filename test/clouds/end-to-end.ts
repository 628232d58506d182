import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Json, Project } from './openstack/api.ts'
import { listAll, type OpenStackClient, openstackClient } from './openstack/client.ts'
import { nothing } from './openstack/inventory.ts'
import type { OpenStack } from './openstack/openstack.ts'
import { type CloudSite, eventually, sshKey, startCloudSite, until } from './site.ts'

const userData = [
  {
    extraUserDataFileContent: Buffer.from('#!/bin/sh\necho hello\n').toString('base64'),
    extraUserDataFileType: 'SHELL_SCRIPT',
  },
]

/** Everything that can be ordered, over REST, with every step looked at by the cloud's own client. */
export function endToEndTests(running: () => OpenStack): void {
  describe('a user of a site', () => {
    let site: CloudSite
    let demo: Project
    let openstack: OpenStackClient
    const ids: Record<string, string> = {}
    const instances: Record<string, string> = {}

    before(async () => {
      const cloud = running()
      site = await startCloudSite(cloud, {
        plugin: { network: { router: cloud.router, dnsServers: ['192.0.2.53'] } },
      })
      demo = await cloud.logIn('demo')
      openstack = openstackClient(cloud)
    })
    after(async () => {
      await openstack?.close()
      await site?.stop()
    })

    const order = async (kind: string, path: string, body: unknown) => {
      ids[kind] = await site.admin.create(`/ras/${path}`, body)
      return until(site.admin, `/ras/${path}/${ids[kind]}`, 'READY')
    }
    const only = async (...list: string[]): Promise<Json> => {
      const found: Json[] = await openstack(...list)
      assert.equal(found.length, 1, `${list.join(' ')}: ${JSON.stringify(found)}`)
      return found[0]
    }
    const compute = () => `/ras/computes/${ids.compute}`
    const server = () => openstack('server', 'show', instances.compute ?? '')

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
      const networks: Json[] = await openstack('network', 'list', '--internal', '--long')
      const network = networks.find(({ Name }) => Name === 'Büro & <b>Netz</b>')
      instances.network = network.ID
      assert.deepEqual([network.Status, network.State], ['ACTIVE', true])
      const subnet = await only('subnet', 'list', '--network', network.ID, '--long')
      assert.deepEqual(subnet['Name Servers'], ['192.0.2.53'])
      assert.equal(subnet.Subnet, '10.71.0.0/24')
      await only('port', 'list', '--network', network.ID, '--router', running().router)
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
      const { ID: id } = await only('server', 'list', '--tags', `fogbow-${ids.compute}`)
      instances.compute = id
      const found = await server()
      assert.deepEqual([found.name, found.status], ['worker', 'ACTIVE'])
      assert.match(found.flavor, /^fast /)
      assert.equal(found.key_name, `fogbow-${ids.compute}`)
      assert.deepEqual(await openstack('keypair', 'list'), [], 'the key pair stays')
      const path = `/ports?device_id=${id}&network_id=${instances.network}`
      const [port] = (await demo.call('network', 'GET', path)).ports
      const group = await openstack('security', 'group', 'show', `fogbow-${instances.network}`)
      assert.deepEqual(port.security_groups, [group.id])
      const address = port.fixed_ips[0].ip_address
      assert.ok((view.ipAddresses as string[]).includes(address))
      assert.deepEqual(found.addresses['Büro & <b>Netz</b>'], [address])
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
      const { ID: id } = await only('volume', 'list')
      const volume = await openstack('volume', 'show', id)
      assert.deepEqual([volume.name, volume.size, volume.type], ['disk', 3, 'fast'])
      assert.equal(volume.status, 'in-use')
      assert.equal(volume.attachments[0].server_id, instances.compute)
    })

    test('orders a public IP, which leads to the compute', async () => {
      const { ip } = await order('publicIp', 'publicIps', { computeId: ids.compute })
      const address = await only('floating', 'ip', 'list')
      assert.equal(address['Floating IP Address'], ip)
      const port = await openstack('port', 'show', address.Port)
      assert.equal(port.device_id, instances.compute)
      assert.equal(port.security_group_ids.length, 2)
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
        const found = await openstack('security', 'group', 'rule', 'show', id)
        assert.deepEqual([found.port_range_min, found.port_range_max], [22, 23])
        assert.deepEqual([found.direction, found.protocol], ['ingress', 'tcp'])
        assert.equal(found.remote_ip_prefix, '192.0.2.0/24')
        const { body } = await site.admin.get(parent)
        assert.ok((body as Json[]).some((each) => each.id === id))
        assert.equal((await site.admin.delete(`${parent}/${id}`)).status, 200)
        await assert.rejects(
          openstack('security', 'group', 'rule', 'show', id),
          /No SecurityGroupRule found/,
        )
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
        const [found] = await openstack('image', 'list', '--private')
        return found?.Status === 'active' ? { answer: found } : { problem: JSON.stringify(found) }
      })
      assert.equal(image.Name, 'before the update')
      const { body } = await site.admin.get('/ras/images/site-a.test/lab')
      assert.ok((body as Json[]).some(({ id }) => id === image.ID))
      await demo.call('image', 'DELETE', `/images/${image.ID}`)
    })

    test('deletes it all, what depends on others first, and the project is empty', async () => {
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
      assert.deepEqual(await listAll(openstack, running()), nothing)
    })
  })
}
