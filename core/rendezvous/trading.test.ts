import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemberSettings } from '../federation/member-settings.ts'
import { createMembership } from '../federation/membership/index.ts'
import { createMemoryFile } from '../federation/membership/testing/memory-file.ts'
import { defaultFederationSettings } from '../federation/settings.ts'
import { ended, startFederatedSites, testMethods } from '../federation/testing/federated-sites.ts'
import { makeSiteKeys } from '../federation/testing/keys.ts'
import { writePublicKey } from '../federation/trust/index.ts'
import { startRendezvous } from './rendezvous.ts'
import { defaultRendezvousSettings } from './settings.ts'
import { createWhiteList } from './white-list.ts'

const JID = 'rendezvous.test'
const log = { info() {}, warn() {}, error() {} }

test('sites that know nothing but a rendezvous and its key ask each other, and believe each other', async (t) => {
  const all = await startFederatedSites(['site-a', 'site-b'], testMethods)
  const { time, network, sites } = all
  const keys = makeSiteKeys()
  const rendezvous = await startRendezvous({
    component: network.attach(JID, { isOver: false, step() {} }),
    settings: defaultRendezvousSettings,
    whiteList: createWhiteList({ written: { list: ['ras-site-a', 'ras-site-b'] }, log }),
    keys,
    state: createMemoryFile(),
    stateName: 'rendezvous.json',
    clock: time,
    log,
  })
  const peer = { jid: JID, keys: [writePublicKey(keys.signing)], vouches: true }
  const memberships = sites.map((site) => {
    const settings = () => ({ list: [], rendezvous: [peer] })
    const { component, id: siteId } = site
    const membership = createMembership({
      component,
      siteId,
      settings,
      keys: site.keys,
      clock: time,
      log,
    })
    const read = createMemberSettings(() => defaultFederationSettings, membership)
    Object.defineProperty(site, 'settings', { get: read })
    membership.onChange(site.federation.refresh)
    return membership
  })
  t.after(async () => {
    for (const membership of memberships) await membership.stop()
    await rendezvous.stop()
    await all.close()
  })
  const [a] = sites
  const early = ended(a?.federation.call('site-b', 'echo', { text: 'hi' }) ?? assert.fail())
  await all.pass(10)
  assert.match(JSON.stringify(early.outcome), /unavailable_provider/)
  for (const membership of memberships) await membership.start()
  await all.pass(61_000)
  const call = ended(a?.federation.call('site-b', 'echo', { text: 'hi' }) ?? assert.fail())
  await all.pass(1000)
  assert.deepEqual(call.outcome, { result: 'hi' })
  const views = a?.federation.members().map(({ id, dialect, liveness }) => [id, dialect, liveness])
  assert.deepEqual(views, [
    ['site-a', 'own', 'alive'],
    ['site-b', 'own', 'alive'],
  ])
})
