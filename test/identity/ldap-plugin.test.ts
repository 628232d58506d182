import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { makeCertificates } from '../sdks/servers/certificates.ts'
import {
  GROUPS,
  PASSWORD,
  PEOPLE,
  SEARCHER,
  SEARCHER_PASSWORD,
  SUFFIX,
} from './support/directory.ts'
import { ldapPlugins } from './support/ldap-plugin.ts'
import { startSlapd } from './support/slapd.ts'

const slapd = await startSlapd()
const plugins = await ldapPlugins(slapd.certificates.authority)

const searching = {
  issuer: 'staff.example',
  url: slapd.url,
  startTls: true,
  bindDn: SEARCHER,
  search: { base: PEOPLE },
}
const direct = {
  issuer: 'staff.example',
  url: slapd.url,
  startTls: true,
  userDn: `uid={username},${PEOPLE}`,
}
const wrong = { code: 'unauthenticated', message: 'user name or password is wrong' }

describe('whoever can bind is who the directory says', () => {
  const ways = {
    'found by an account that searches, with StartTLS': searching,
    'found without an account': { ...searching, bindDn: undefined },
    'named by a DN': direct,
    'over ldaps': { ...searching, url: slapd.secureUrl, startTls: false },
    'in plain text, when that is allowed': {
      ...searching,
      startTls: false,
      allowPlainText: true,
    },
  }
  for (const [way, config] of Object.entries(ways)) {
    test(way, async () => {
      const plugin = await plugins.start(JSON.parse(JSON.stringify(config)))
      const { id, identityProviderId, name, roles } = await plugin.user('ana', PASSWORD)
      assert.deepEqual(
        { id, identityProviderId, name, roles },
        { id: 'ana', identityProviderId: 'staff.example', name: 'Ana Ångström', roles: [] },
      )
      await assert.rejects(plugin.logIn('ana', `${PASSWORD}x`), wrong)
      await plugin.sandbox.stop()
    })
  }

  test('however the name is written, it is the same user', async () => {
    const plugin = await plugins.start(searching)
    assert.equal((await plugin.user('ANA', PASSWORD)).id, 'ana')
    const other = await plugins.start(direct)
    assert.equal((await other.user('Ana', PASSWORD)).id, 'ana')
  })

  test('attributes are those that are asked for, and a token is good until somebody changes it', async () => {
    const attributes = {
      others: { email: 'mail', unit: 'departmentNumber', phone: 'telephoneNumber' },
    }
    const plugin = await plugins.start({ ...searching, attributes })
    const token = await plugin.user('ana', PASSWORD)
    assert.deepEqual(token.attributes, {
      email: ['ana@example.org', 'a.angstrom@example.org'],
      unit: 'physics',
    })
    const isAuthentic = (value: unknown) =>
      plugin.sandbox.call('authentication.isAuthentic', [value])
    assert.equal(await isAuthentic(token), true)
    assert.equal(await isAuthentic({ ...token, roles: ['admin'] }), false)
  })
})

describe('what is no proof is refused, in one and the same way', () => {
  test('an empty password never logs in, although the directory would bind', async () => {
    for (const config of [searching, direct]) {
      const plugin = await plugins.start(config)
      await assert.rejects(plugin.logIn('ana', ''), wrong)
      await assert.rejects(plugin.logIn('nobody', ''), wrong)
    }
  })

  test('a user name is a name and never a filter, and never more of a DN', async () => {
    const names = [
      '*',
      'a*',
      'ana)(uid=*',
      '*)(|(uid=*',
      'ana\\2a',
      'ana,ou=people',
      `ana,${PEOPLE}`,
      'ana+uid=ana',
      'ana\0',
      ' ',
      '"ana"',
      '\\ana',
      'x'.repeat(4000),
      'nobody',
      '',
    ]
    for (const config of [searching, { ...searching, bindDn: SEARCHER }, direct]) {
      const plugin = await plugins.start(config)
      for (const name of names)
        await assert.rejects(plugin.logIn(name, PASSWORD), wrong, JSON.stringify(name))
      assert.deepEqual(plugin.host.logged, [], 'nothing of it is unusual enough for the log')
    }
  })

  test('a name with characters that mean something to LDAP is a name like any other', async () => {
    for (const config of [searching, direct]) {
      const plugin = await plugins.start(config)
      assert.equal((await plugin.user('smith, jo', PASSWORD)).id, 'smith, jo')
    }
  })

  test('a name that matches two entries is nobody', async () => {
    const search = { base: PEOPLE, filter: '(mail={username})' }
    const plugin = await plugins.start({ ...searching, search })
    assert.equal((await plugin.user('ana@example.org', PASSWORD)).id, 'ana')
    await assert.rejects(plugin.logIn('twin@example.org', PASSWORD), wrong)
    assert.match(plugin.host.logged[0]?.message ?? '', /matches several entries/)
  })

  test('who is outside of the base is not found, and only the account that searches sees hidden entries', async () => {
    const people = await plugins.start(searching)
    await assert.rejects(people.logIn('eve', PASSWORD), wrong)
    const search = { base: SUFFIX }
    const all = await plugins.start({ ...searching, search })
    assert.equal((await all.user('eve', PASSWORD)).id, 'eve')
    const { bindDn: _, ...anonymous } = { ...searching, search }
    const stranger = await plugins.start(anonymous)
    await assert.rejects(stranger.logIn('eve', PASSWORD), wrong)
  })
})

describe('what the directory says of an account is told in words', () => {
  test('locked, expired, reset', async () => {
    const plugin = await plugins.start(searching)
    const problems: [string, RegExp][] = [
      ['locked', /the account is locked in the directory/],
      ['expired', /the password has expired/],
      ['reset', /has to be changed first/],
    ]
    for (const [name, message] of problems)
      await assert.rejects(plugin.logIn(name, PASSWORD), { code: 'unauthenticated', message }, name)
    await assert.rejects(plugin.logIn('expired', 'wrong'), wrong, 'only its owner is told')
  })

  test('an account that the directory locks after wrong passwords', async () => {
    const plugin = await plugins.start(searching)
    await plugin.logIn('lou', PASSWORD)
    for (let times = 0; times < 2; times++) await assert.rejects(plugin.logIn('lou', 'no'), wrong)
    await assert.rejects(plugin.logIn('lou', PASSWORD), /account is locked/)
  })
})

describe('groups become roles', () => {
  const roles = {
    physics: ['user'],
    [`CN=Science, ${GROUPS}`]: ['scientist'],
    circle: ['round'],
    admins: ['admin'],
    nothing: ['none'],
  }
  const rolesOf = async (groups: object, more: object = {}) => {
    const plugin = await plugins.start({ ...searching, groups, roles, ...more })
    const { roles: given } = await plugin.user('ana', PASSWORD)
    await plugin.sandbox.stop()
    return given.sort()
  }

  test('by the groups that name the user, or that the user names', async () => {
    assert.deepEqual(await rolesOf({ base: GROUPS }), ['user'])
    assert.deepEqual(await rolesOf({ base: GROUPS, memberOf: 'memberOf' }), ['user'])
    assert.deepEqual(await rolesOf({}), [])
  })

  test('groups of groups count when it says so, and a circle ends', async () => {
    const all = ['round', 'scientist', 'user']
    assert.deepEqual(await rolesOf({ base: GROUPS, nested: true }), all)
    assert.deepEqual(await rolesOf({ base: GROUPS, memberOf: 'memberOf', nested: true }), all)
  })

  test('a group of the same name elsewhere gives nothing, unless its DN is named', async () => {
    const elsewhere = { base: SUFFIX, filter: '(&(cn=admins)(member={dn}))' }
    assert.deepEqual(await rolesOf({ memberOf: 'memberOf', base: GROUPS }), ['user'])
    assert.deepEqual(await rolesOf(elsewhere), ['admin'])
    const named = { [`cn=admins,ou=others,${SUFFIX}`]: ['admin'] }
    assert.deepEqual(await rolesOf({ memberOf: 'memberOf' }, { roles: named }), ['admin'])
  })

  test('some roles are for everybody; users read their own groups when nobody else searches', async () => {
    const everybody = ['member']
    assert.deepEqual(await rolesOf({ base: GROUPS }, { everybody }), ['member', 'user'])
    const plugin = await plugins.start({ ...direct, groups: { base: GROUPS }, roles, everybody })
    assert.deepEqual((await plugin.user('ana', PASSWORD)).roles, ['member', 'user'])
  })
})

describe('what is wrong with directory or settings is told to who can help', () => {
  const refusalOf = async (config: object, user = 'ana') => {
    const plugin = await plugins.start(config)
    return plugin.logIn(user, PASSWORD).then(
      () => assert.fail('logged in'),
      (error: { code: string; message: string }) => error,
    )
  }

  test('settings that contradict each other do not even start', async () => {
    const { search: _, ...nobody } = searching
    const problems: [object, RegExp][] = [
      [{ ...searching, startTls: false }, /'url' of ldap would send passwords readable/],
      [{ ...searching, url: slapd.secureUrl }, /'startTls' of ldap is for ldap:\/\//],
      [nobody, /'userDn' of ldap or search says/],
      [{ ...searching, userDn: `uid={username},${PEOPLE}` }, /one of them, and not both/],
    ]
    for (const [config, message] of problems)
      await assert.rejects(plugins.start(config), { code: 'configuration_error', message })
  })

  test('a directory that is down is unavailable, by name, and back when it is back', async () => {
    const plugin = await plugins.start(searching)
    await plugin.logIn('ana', PASSWORD)
    await slapd.stop()
    const down = {
      code: 'unavailable_provider',
      message: new RegExp(`${slapd.url} does not answer`),
    }
    await assert.rejects(plugin.logIn('ana', PASSWORD), down)
    await assert.rejects(plugin.sandbox.call('health.check', []), down)
    await slapd.start()
    await plugin.logIn('ana', PASSWORD)
    await plugin.sandbox.call('health.check', [])
    await slapd.stop()
    await slapd.start()
    await plugin.logIn('ana', PASSWORD)
  })

  test('a directory that says nothing is given up in time', async (t) => {
    const silent = await listen(t, () => {})
    const config = { ...searching, url: silent, startTls: false, allowPlainText: true }
    const { code, message } = await refusalOf({ ...config, timeoutMs: 200 })
    assert.equal(code, 'unavailable_provider')
    assert.match(message, new RegExp(`${silent} does not answer: .*timed out`))
  })

  test('a certificate of nobody whom the site trusts ends it before a password is sent', async () => {
    const strict = await ldapPlugins(makeCertificates().authority)
    for (const config of [searching, { ...searching, url: slapd.secureUrl, startTls: false }]) {
      const plugin = await strict.start(config)
      await assert.rejects(plugin.logIn('ana', PASSWORD), {
        code: 'unavailable_provider',
        message: /certificate/i,
      })
    }
  })

  test('an account that cannot search, and a base that is not there, are settings', async () => {
    const plugin = await plugins.start(searching)
    plugin.host.secretValues.bindPassword = 'not this one'
    const refused = {
      code: 'configuration_error',
      message: new RegExp(`refuses the account '${SEARCHER}': InvalidCredentials`),
    }
    await assert.rejects(plugin.logIn('ana', PASSWORD), refused)
    await assert.rejects(plugin.sandbox.call('health.check', []), refused)
    plugin.host.secretValues.bindPassword = SEARCHER_PASSWORD
    await plugin.logIn('ana', PASSWORD)
    const { code, message } = await refusalOf({ ...searching, search: { base: `ou=no,${SUFFIX}` } })
    assert.equal(code, 'configuration_error')
    assert.match(message, /NoSuchObject \(32\)/)
  })

  test('referrals are not followed', async () => {
    const base = `ou=elsewhere,${PEOPLE}`
    const { code, message } = await refusalOf({ ...searching, search: { base } })
    assert.equal(code, 'configuration_error')
    assert.match(message, /referrals are not followed/)
  })

  test('an entry without the attribute that is to be the id logs nobody in', async () => {
    const attributes = { id: 'employeeNumber' }
    const { code, message } = await refusalOf({ ...searching, attributes })
    assert.equal(code, 'configuration_error')
    assert.match(message, /no attribute 'employeeNumber'/)
  })
})

describe('connections', () => {
  test('are used again, and never more than some, however many log in', async (t) => {
    const proxy = await createRelay(slapd.url)
    t.after(() => proxy.close())
    const plugin = await plugins.start({
      ...searching,
      url: proxy.url,
      startTls: false,
      allowPlainText: true,
    })
    for (let times = 0; times < 10; times++) await plugin.logIn('ana', PASSWORD)
    assert.equal(proxy.opened(), 1)
    const logins = Array.from({ length: 30 }, () => plugin.logIn('ana', PASSWORD))
    assert.equal(new Set(await Promise.all(logins)).size, 30)
    assert.ok(proxy.mostAtOnce() <= 12, `${proxy.mostAtOnce()} at once`)
  })

  test('that the directory closed are opened anew', async (t) => {
    const proxy = await createRelay(slapd.url)
    t.after(() => proxy.close())
    const config = { ...searching, url: proxy.url, startTls: false, allowPlainText: true }
    const plugin = await plugins.start(config)
    await plugin.logIn('ana', PASSWORD)
    proxy.cut()
    await plugin.logIn('ana', PASSWORD)
    assert.equal(proxy.opened(), 2)
  })

  test('that spoke for a user do not search for the next one', async () => {
    const { bindDn: _, ...anonymous } = { ...searching, search: { base: SUFFIX } }
    const plugin = await plugins.start(anonymous)
    for (let times = 0; times < 3; times++) {
      await plugin.logIn('ana', PASSWORD)
      await assert.rejects(plugin.logIn('eve', PASSWORD), wrong)
    }
  })
})

async function listen(
  t: { after(run: () => void): void },
  take: (socket: Socket) => void,
): Promise<string> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    take(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `ldap://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Stands before the directory and counts who comes. */
async function createRelay(to: string) {
  const port = Number(new URL(to).port)
  const pairs = new Set<Socket>()
  let opened = 0
  let most = 0
  const server = createServer((client) => {
    opened += 1
    const upstream = connect(port, '127.0.0.1')
    pairs.add(client)
    most = Math.max(most, pairs.size)
    client.pipe(upstream).pipe(client)
    for (const socket of [client, upstream]) {
      socket.on('error', () => {})
      socket.on('close', () => {
        pairs.delete(client)
        client.destroy()
        upstream.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `ldap://127.0.0.1:${(server.address() as AddressInfo).port}`,
    opened: () => opened,
    mostAtOnce: () => most,
    cut() {
      for (const socket of pairs) socket.destroy()
    },
    close() {
      for (const socket of pairs) socket.destroy()
      server.close()
    },
  }
}
