import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OWN_NAMESPACE } from '../own/index.ts'
import { defaultFederationSettings, type FederationSettings } from '../settings.ts'
import { XmppError } from '../xmpp/index.ts'
import { createDialectChoice } from './dialect-choice.ts'

function choice(
  settings: Partial<FederationSettings>,
  known: readonly string[],
  features: readonly string[] | 'silent',
) {
  const met: (readonly string[])[] = []
  let asked = 0
  const discovery = {
    async ask() {
      asked += 1
      if (features === 'silent') throw new XmppError('timeout', 'no answer', { sent: true })
      const fields = { keys: ['kid:x'] }
      return {
        identities: [],
        features: new Set(features),
        forms: [{ type: OWN_NAMESPACE, fields }],
      }
    },
    forget() {},
  }
  const peerKeys = {
    knows: (member: string) => known.includes(member),
    async meet(_: string, announced: readonly string[]) {
      met.push(announced)
      return false
    },
  }
  const made = createDialectChoice({
    settings: () => ({ ...defaultFederationSettings, ...settings }),
    peerKeys: peerKeys as never,
    discovery,
  })
  return { ...made, met, asked: () => asked }
}

const java = { peers: { b: { dialect: 'java' as const } } }

test('a member whose keys are known is spoken to in our dialect, whatever anybody says of it', async () => {
  const chosen = choice({ unsigned: 'allowed' }, ['b'], [])
  assert.equal(await chosen.of('b'), 'own')
  assert.equal(chosen.asked(), 0)
  assert.equal(chosen.isAllowed('b', 'java'), false)
  assert.equal(chosen.isAllowed('b', 'own'), true)
})

test('a member without our feature is one of the original service, if that is allowed', async () => {
  assert.equal(await choice({ unsigned: 'allowed' }, [], ['urn:xmpp:ping']).of('b'), 'java')
  await assert.rejects(choice({}, [], []).of('b'), /signs nothing, and federation.unsigned refuses/)
  assert.equal(choice({}, [], []).isAllowed('b', 'java'), false)
})

test('what is configured counts more than what is discovered', async () => {
  const chosen = choice({ ...java, unsigned: 'allowed' }, ['b'], [OWN_NAMESPACE])
  assert.equal(await chosen.of('b'), 'java')
  assert.deepEqual([chosen.isAllowed('b', 'java'), chosen.isAllowed('b', 'own')], [true, false])
  assert.equal(choice(java, [], []).isAllowed('b', 'java'), false)
})

test('a member that is silent, or shows keys that are not taken, is not asked', async () => {
  await assert.rejects(choice({}, [], 'silent').of('b'), /b cannot be asked: no answer/)
  const shown = choice({}, [], [OWN_NAMESPACE])
  await assert.rejects(shown.of('b'), { code: 'unavailable_provider' })
  assert.deepEqual(shown.met, [['kid:x']])
})

test('introductions happen only where first keys may be taken, and one at a time', async () => {
  const closed = choice({}, [], [OWN_NAMESPACE])
  assert.equal(await closed.introduce('b'), false)
  assert.equal(closed.asked(), 0)
  const open = choice({ newKeys: 'firstUse' }, [], [OWN_NAMESPACE])
  await Promise.all([open.introduce('b'), open.introduce('b')])
  assert.equal(open.asked(), 1)
})
