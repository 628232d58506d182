import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { FederatedSite } from '../federation/sites/federated-site.ts'
import { type Federation, startFederation } from '../federation/sites/federation-sites.ts'
import type { Json } from './openstack/api.ts'
import { listAll, type OpenStackClient, openstackClient } from './openstack/client.ts'
import { nothing } from './openstack/inventory.ts'
import type { OpenStack } from './openstack/openstack.ts'
import { accountsFor, pluginConfig } from './openstack/settings.ts'
import { sshKey, until } from './site.ts'

const ids = ['a.site-a.test', 'b.site-b.test'] as const

/** A site with its cloud, and whom it trades with. */
interface Trader {
  readonly site: FederatedSite
  readonly cloud: OpenStack
  readonly openstack: OpenStackClient
  readonly peer: string
}

/** Two clouds that have nothing in common, each behind a site and an XMPP server of its own. */
export function tradeTests(first: () => OpenStack, starting: () => Promise<OpenStack>): void {
  describe('two sites, each with an OpenStack of its own', () => {
    const folder = mkdtempSync(join(tmpdir(), 'fogbow-trade-'))
    let federation: Federation
    let traders: Trader[] = []
    /** Of the compute that the user of each site has at the other one. */
    const orders = new Map<Trader, string>()

    before(async () => {
      const clouds = [first(), await starting()]
      federation = await startFederation({
        sites: ids.map((id, n) => ({
          id,
          kind: 'prosody',
          settings: settingsOf(id, clouds[n] as OpenStack, folder),
        })),
      })
      traders = federation.sites.map((site, n) => {
        const cloud = clouds[n] as OpenStack
        const peer = ids.find((id) => id !== site.id) ?? ''
        return { site, cloud, openstack: openstackClient(cloud), peer }
      })
    })
    after(async () => {
      for (const { openstack } of traders) await openstack.close()
      await federation?.stop()
      rmSync(folder, { recursive: true, force: true })
    })

    const peerOf = ({ peer }: Trader) => traders.find(({ site }) => site.id === peer) as Trader
    const both = async (work: (trader: Trader) => Promise<void>): Promise<void> => {
      await Promise.all(traders.map(work))
    }
    const pathOf = (trader: Trader) => `/ras/computes/${orders.get(trader)}`
    const statusOf = async (trader: Trader): Promise<string[]> => {
      const tag = `fogbow-${orders.get(trader)}`
      const servers = await peerOf(trader).openstack('server', 'list', '--tags', tag)
      return servers.map(({ Status }: Json) => Status)
    }

    test('users see the images of the other cloud', () =>
      both(async (trader) => {
        const { body } = await trader.site.client().get(`/ras/images/${trader.peer}/lab`)
        assert.deepEqual(body, [{ id: peerOf(trader).cloud.image, name: 'tiny' }])
      }))

    test('a user of each gets a compute in the cloud of the other, and nowhere else', async () => {
      await both(async (trader) => {
        const request = { imageId: peerOf(trader).cloud.image, ram: 64, publicKey: sshKey() }
        const place = { provider: trader.peer, cloudName: 'lab', name: `from ${trader.site.id}` }
        const id = await trader.site.client().create('/ras/computes', { ...place, ...request })
        orders.set(trader, id)
        const view = await until(trader.site.client(), pathOf(trader), 'READY')
        assert.equal(view.provider, trader.peer)
        assert.ok((view.ipAddresses as string[]).length > 0)
      })
      await both(async (trader) => {
        assert.deepEqual(await statusOf(trader), ['ACTIVE'])
        const { servers } = await listAll(trader.openstack, trader.cloud)
        assert.equal(servers.length, 1, 'only that of the other is here')
      })
    })

    test('each stops his compute and resumes it from afar', () =>
      both(async (trader) => {
        const client = trader.site.client()
        assert.ok((await client.post(`${pathOf(trader)}/stop`)).status < 300)
        await until(client, pathOf(trader), 'STOPPED')
        assert.deepEqual(await statusOf(trader), ['SHUTOFF'])
        assert.ok((await client.post(`${pathOf(trader)}/resume`)).status < 300)
        await until(client, pathOf(trader), 'READY')
        assert.deepEqual(await statusOf(trader), ['ACTIVE'])
      }))

    test('each deletes it, and both projects are empty', async () => {
      await both(async (trader) => {
        const client = trader.site.client()
        assert.equal((await client.delete(pathOf(trader))).status, 200)
        await until(client, pathOf(trader), 'GONE')
      })
      for (const { openstack, cloud } of traders)
        assert.deepEqual(await listAll(openstack, cloud), nothing)
    })
  })
}

/** The other site has an account in this cloud, and nobody else has. */
function settingsOf(id: string, cloud: OpenStack, folder: string) {
  const accounts = join(folder, `${id}.json`)
  const peer = ids.find((other) => other !== id)
  writeFileSync(accounts, accountsFor(cloud, { [`*@${peer}`]: 'demo' }), { mode: 0o600 })
  return {
    plugins: {
      openstack: {
        package: join(import.meta.dirname, '../../plugins-official/openstack'),
        config: pluginConfig(cloud),
        secrets: { accounts: `file:${accounts}` },
        grants: { network: ['*'] },
      },
    },
    clouds: { lab: { plugin: 'openstack', mapper: 'openstack' } },
  }
}
