import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { PluginCaller } from '@fogbow/plugin-sdk/testing'
import type { Project } from './openstack/api.ts'
import type { OpenStack } from './openstack/openstack.ts'
import { pluginConfig } from './openstack/settings.ts'
import { startPlugin } from './plugin.ts'

const refusal = { code: 'unauthenticated' }

/** Users who log in with Keystone. */
export function loginTests(running: () => OpenStack): void {
  describe('log-in with Keystone', () => {
    let admin: Project
    before(async () => {
      admin = await running().logIn('admin')
    })

    const start = async (): Promise<PluginCaller> => {
      const login = { ...(pluginConfig(running()).login as object), recheckSeconds: 0 }
      return (await startPlugin(running(), { login })).caller
    }
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
      const headers = { 'x-auth-token': admin.token, 'x-subject-token': value }
      const url = `${running().authUrl}/auth/tokens`
      assert.equal((await fetch(url, { method: 'DELETE', headers })).status, 204)
      await assert.rejects(read(caller, value), refusal)
      assert.equal(await caller.call('authentication.isAuthentic', [user]), false)
    })
  })
}
