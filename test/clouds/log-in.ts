import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { PluginCaller } from '@fogbow/plugin-sdk/testing'
import type { Project } from './openstack/api.ts'
import { startBriefKeystone } from './openstack/brief-keystone.ts'
import type { OpenStack } from './openstack/openstack.ts'
import { pluginConfig } from './openstack/settings.ts'
import { startPlugin } from './plugin.ts'
import { eventually } from './site.ts'

const refusal = { code: 'unauthenticated' }

/** Users who log in with Keystone. */
export function loginTests(running: () => OpenStack): void {
  describe('log-in with Keystone', () => {
    let admin: Project
    let brief: Awaited<ReturnType<typeof startBriefKeystone>>
    before(async () => {
      admin = await running().logIn('admin')
      brief = await startBriefKeystone(running(), SHORT_LIFE_SECONDS)
    })
    after(() => brief?.stop())

    const start = async (authUrl = running().authUrl): Promise<PluginCaller> => {
      const login = { ...(pluginConfig(running()).login as object), recheckSeconds: 0 }
      return (await startPlugin(running(), { login, authUrl })).caller
    }
    const ask = (method: 'GET' | 'DELETE', value: string) => {
      const headers = { 'x-auth-token': admin.token, 'x-subject-token': value }
      return fetch(`${running().authUrl}/auth/tokens`, { method, headers })
    }
    /** By Keystone's clock: that of the plugin stands still, so that it does not know by itself. */
    const expired = (value: string) =>
      eventually('the end of a token', async () => {
        const { status } = await ask('GET', value)
        return status === 404 ? { answer: true } : { problem: `status ${status}` }
      })
    const logIn = async (caller: PluginCaller, credentials: object): Promise<string> =>
      (await caller.call('tokenGenerator.createTokenValue', [credentials])) as string
    const read = async (caller: PluginCaller, value: string) =>
      (await caller.call('federationIdentity.getFederationUserToken', [value])) as {
        roles: string[]
        attributes: { project: string }
      }

    test('a user has the roles that those of his project are here', async () => {
      const caller = await start()
      const { username, password } = running().loginOf('demo')
      const user = await read(caller, await logIn(caller, { username, password }))
      assert.deepEqual([user.roles, user.attributes.project], [['user'], 'demo'])
      await assert.rejects(logIn(caller, { username, password: 'wrong' }), refusal)
    })

    test('a user who is locked gets no token, and his old one is good no more', async () => {
      const caller = await start()
      const credentials = running().loginOf('other')
      const good = await logIn(caller, { ...credentials })
      const { users } = await admin.call('identity', 'GET', '/users?name=other')
      const path = `/users/${users[0].id}`
      await admin.call('identity', 'PATCH', path, { user: { enabled: false } })
      try {
        await assert.rejects(logIn(caller, { ...credentials }), refusal)
        await assert.rejects(read(caller, good), refusal)
      } finally {
        await admin.call('identity', 'PATCH', path, { user: { enabled: true } })
      }
      assert.equal(typeof (await logIn(caller, { ...credentials })), 'string')
    })

    test('a token that was revoked logs nobody in any more', async () => {
      const caller = await start()
      const { username, password } = running().loginOf('demo')
      const value = await logIn(caller, { username, password })
      const user = await read(caller, value)
      assert.equal(await caller.call('authentication.isAuthentic', [user]), true)
      assert.equal((await ask('DELETE', value)).status, 204)
      await assert.rejects(read(caller, value), refusal)
      assert.equal(await caller.call('authentication.isAuthentic', [user]), false)
    })

    test('a token that expired logs nobody in any more', async () => {
      const caller = await start(brief.authUrl)
      const { username, password } = running().loginOf('demo')
      const value = await logIn(caller, { username, password })
      const user = await read(caller, value)
      await expired(value)
      await assert.rejects(read(caller, value), refusal)
      assert.equal(await caller.call('authentication.isAuthentic', [user]), false)
    })

    test('a token of an account that expired unnoticed is had anew', async () => {
      const plugin = await startPlugin(running(), { authUrl: brief.authUrl })
      const list = () => plugin.caller.call('image.getAllImages', [{ account: 'demo' }])
      const listed = await list()
      await list()
      assert.equal(plugin.tokens.length, 1, 'it would not have had another by itself')
      await expired(plugin.tokens[0] ?? '')
      assert.deepEqual(await list(), listed)
      assert.equal(plugin.tokens.length, 2)
    })
  })
}

/** Enough for a log-in and what follows at once on a busy machine. */
const SHORT_LIFE_SECONDS = 10
