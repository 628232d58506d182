import assert from 'node:assert/strict'
import type {
  BegunDeviceLogin,
  BegunLogin,
  EndedSession,
  PolledLogin,
} from '../../contracts/login.ts'
import type { ErrorCode } from '../../errors.ts'
import type { ConformanceCase } from '../conformance.ts'
import { casesOf, type Trial } from '../trial.ts'

const REDIRECT_URI = 'https://site.example/as/login/conformance/callback'
const refusals: readonly ErrorCode[] = ['unauthenticated', 'unauthorized']

/** Nobody can visit a provider here: what is tried is how a login begins, and that none ends by itself. */
export function loginPluginCases(trial: Trial): ConformanceCase[] {
  const test = casesOf('login')
  const state = () => `${crypto.randomUUID()}-${crypto.randomUUID()}`
  const begin = (text = state()) => trial.call<BegunLogin>('login.beginLogin', REDIRECT_URI, text)
  const mustRefuse = async (what: string, parameters: object, kept: object) =>
    trial.refused(what, trial.call('login.completeLogin', REDIRECT_URI, parameters, kept), refusals)
  const noDevice = trial.offers('login.beginDeviceLogin')
    ? undefined
    : 'the plugin offers no login for devices'

  return [
    test('a login leads to the provider with its state, and no secret of it is in the address', async () => {
      const text = state()
      const { url, kept } = await begin(text)
      assert.ok(url.includes(text), `${url} does not carry the state`)
      for (const [name, value] of Object.entries(kept)) {
        const isPublic = value === text || value.length < 16 || name === 'nonce'
        assert.ok(isPublic || !url.includes(value), `kept.${name} is in the address`)
      }
    }),
    test('what is kept of one login is not that of another', async () => {
      const [one, other] = [await begin(), await begin()]
      assert.notDeepEqual(one.kept, other.kept)
      assert.notEqual(one.url, other.url)
    }),
    test('a callback that the provider did not send is refused', async () => {
      const text = state()
      const { kept } = await begin(text)
      await mustRefuse('a callback without parameters', {}, kept)
      await mustRefuse('a code without state', { code: 'made-up' }, kept)
      await mustRefuse('another state', { code: 'made-up', state: state() }, kept)
      await mustRefuse('a code that was made up', { code: 'made-up', state: text }, kept)
      const error = { error: 'access_denied', state: text }
      await mustRefuse('a refusal of the provider', error, kept)
    }),
    test(
      'a login of a device waits for its user',
      async () => {
        const { kept, ...shown } = await trial.call<BegunDeviceLogin>('login.beginDeviceLogin')
        for (const [name, value] of Object.entries(kept))
          assert.ok(!Object.values(shown).includes(value), `kept.${name} is shown`)
        const { status } = await trial.call<PolledLogin>('login.pollDeviceLogin', kept)
        assert.notEqual(status, 'done')
      },
      noDevice,
    ),
    test(
      'a device that began nothing gets nothing',
      async () => {
        const { kept } = await trial.call<BegunDeviceLogin>('login.beginDeviceLogin')
        const other = Object.fromEntries(Object.keys(kept).map((name) => [name, 'made-up']))
        await trial.refused(
          'a poll with what was made up',
          trial.call('login.pollDeviceLogin', other),
          refusals,
        )
      },
      noDevice,
    ),
    test(
      'the end of a session is an address, or nothing',
      async () => {
        const { url } = await trial.call<EndedSession>('login.endSession', 'https://site.example/')
        assert.ok(url === undefined || URL.canParse(url))
      },
      trial.offers('login.endSession') ? undefined : 'the plugin ends no sessions',
    ),
  ]
}
