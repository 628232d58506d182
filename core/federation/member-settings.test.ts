import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemberSettings } from './member-settings.ts'
import { defaultFederationSettings, type PeerSettings } from './settings.ts'

test('stated keys count where the administrator wrote none, and members are those of the moment', () => {
  const peers: Record<string, PeerSettings> = {
    'a.test': { keys: ['written'] },
    'b.test': { dialect: 'own' },
  }
  const settings = { ...defaultFederationSettings, members: ['old.test'], peers }
  let members = ['a.test']
  let stated: Record<string, string[]> = {}
  const source = { members: () => members, statedKeys: () => stated }
  const read = createMemberSettings(() => settings, source)
  assert.deepEqual(read().members, ['a.test'])
  assert.deepEqual(read().peers, peers)
  members = ['a.test', 'b.test', 'c.test']
  stated = { 'a.test': ['stated'], 'b.test': ['of b'], 'c.test': ['of c'] }
  const united = read().peers
  assert.deepEqual(united, {
    'a.test': { keys: ['written'] },
    'b.test': { dialect: 'own', keys: ['of b'] },
    'c.test': { keys: ['of c'] },
  })
  assert.equal(read().peers['c.test'], united['c.test'], 'the same object while nothing changes')
  assert.deepEqual(read().members, members)
})
