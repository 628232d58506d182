import assert from 'node:assert/strict'
import { test } from 'node:test'
import { candidate, integrityOf } from '../fixtures/candidate.ts'
import { temporaryFolder } from '../fixtures/packages.ts'
import { createMemberVetting } from './member-vetting.ts'

const plugin = candidate()
const said = {
  package: plugin.name,
  version: plugin.version,
  integrity: plugin.integrity,
  level: 'verified',
}

test('believed members that run the very same bytes are named, with their level', async (t) => {
  const vetting = createMemberVetting(await temporaryFolder(t), () => ['site-b', 'site-c'])
  await vetting.receive('site-b', [said])
  await vetting.receive('site-c', [{ ...said, integrity: integrityOf('other bytes') }])
  await vetting.receive('site-d', [said])
  assert.deepEqual(await vetting.of(plugin), ['site-b (verified)'])
  const { integrity: _, ...local } = plugin
  assert.deepEqual(await vetting.of(local), [])
})

test('what a member says now replaces what it said, and nonsense replaces nothing', async (t) => {
  const vetting = createMemberVetting(await temporaryFolder(t), () => ['site-b'])
  await vetting.receive('site-b', [said])
  await assert.rejects(vetting.receive('site-b', { all: 'good' }), /vetted.*of member site-b/)
  assert.deepEqual(await vetting.of(plugin), ['site-b (verified)'])
  await vetting.receive('site-b', [])
  assert.deepEqual(await vetting.of(plugin), [])
})
