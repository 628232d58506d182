import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createFakeHost, startInProcess } from '@fogbow/plugin-sdk/testing'
import plugin from './index.ts'

const ana = { id: 'ana', identityProviderId: 'site-a', name: 'Ana', roles: ['user'] }
const root = { ...ana, id: 'root', roles: ['admin'] }
const bob = { ...ana, id: 'bob' }
const here = { provider: 'site-a', requester: 'site-a', cloud: 'lab' }

interface Asked {
  user?: typeof ana
  name?: string
  type?: string
  [field: string]: unknown
}

async function start(config: object = {}, host = createFakeHost({ config })) {
  const caller = await startInProcess(plugin, host)
  const ask = ({ user = ana, name = 'create', type = 'COMPUTE', ...operation }: Asked) =>
    caller.call('authorization.isAuthorized', [user, { ...here, name, ...operation }, type])
  return {
    host,
    ask,
    allows: (asked: Asked) =>
      ask(asked).then(
        () => true,
        (error) => {
          assert.equal(error.code, 'unauthorized')
          return false
        },
      ),
    setPolicy: (policy: unknown) => caller.call('authorization.setPolicy', [textOf(policy)]),
    updatePolicy: (policy: unknown) => caller.call('authorization.updatePolicy', [textOf(policy)]),
  }
}

function textOf(policy: unknown): string {
  return typeof policy === 'string' ? policy : JSON.stringify(policy)
}

const roles = (...rules: object[]) => ({ roles: { user: { rules } } })

describe('by default', () => {
  test('a user does what he likes with his own, and nothing with what belongs to others', async () => {
    const { allows } = await start()
    assert.equal(await allows({ name: 'create' }), true)
    assert.equal(await allows({ name: 'delete', owner: ana }), true)
    assert.equal(await allows({ name: 'delete', owner: bob }), false)
    assert.equal(await allows({ name: 'get', owner: { ...ana, identityProviderId: 'b' } }), false)
    assert.equal(await allows({ name: 'get', owner: bob, user: root }), true)
  })

  const adminWork: [name: string, type: string][] = [
    ['reload', 'CONFIGURATION'],
    ['setPolicy', 'POLICY'],
    ['purge', 'USER'],
    ['listAudit', 'AUDIT'],
    ['restartPlugin', 'PLUGIN'],
    ['backUp', 'STORE'],
    ['anythingNew', 'STORE'],
    ['pauseAll', 'COMPUTE'],
    ['hibernateAll', 'COMPUTE'],
    ['stopAll', 'COMPUTE'],
    ['resumeAll', 'COMPUTE'],
  ]
  for (const [name, type] of adminWork) {
    test(`${name} ${type} is for administrators`, async () => {
      const { allows } = await start()
      assert.equal(await allows({ name, type }), false)
      assert.equal(await allows({ name, type, user: root }), true)
    })
  }

  test('a user whose roles are all unknown has the default role, not none and not all', async () => {
    const { allows } = await start()
    const user = { ...ana, roles: ['constructor', '__proto__', 'wizard'] }
    assert.equal(await allows({ user }), true)
    assert.equal(await allows({ user, name: 'reload', type: 'CONFIGURATION' }), false)
  })
})

describe('other sites', () => {
  const fromThere = { provider: 'site-a', requester: 'site-b' }
  const theirRoot = { ...root, identityProviderId: 'site-b' }

  test('what is asked from another site counts like any other', async () => {
    const { allows } = await start()
    const user = { ...ana, identityProviderId: 'site-b' }
    assert.equal(await allows({ user, ...fromThere }), true)
    assert.equal(await allows({ user, ...fromThere, name: 'get', owner: ana }), false)
  })

  test('the administrator of another site is none here, unless his site is trusted', async () => {
    const ordinary = await start()
    const asked = { user: theirRoot, ...fromThere, name: 'get', owner: ana }
    assert.equal(await ordinary.allows(asked), false)
    const trusting = await start({ trustAdminsOf: ['site-b'] })
    assert.equal(await trusting.allows(asked), true)
  })

  test('our administrator keeps his role in what he asks of another site, once ours is named', async () => {
    const asked = { user: root, requester: 'site-a', provider: 'site-b', name: 'get', owner: ana }
    assert.equal(await (await start({ site: 'site-a' })).allows(asked), true)
    assert.equal(await (await start()).allows(asked), false)
  })

  test('a rule may name the requester', async () => {
    const deny = { effect: 'deny', requesters: ['*.example.org'] }
    const { allows } = await start(roles({ effect: 'allow' }, deny))
    assert.equal(await allows({ requester: 'a.example.org' }), false)
    assert.equal(await allows({ requester: 'a.example.com' }), true)
  })
})

describe('rules', () => {
  test('deny wins, whichever role says it and in whatever order', async () => {
    const deny = { effect: 'deny', operations: ['delete'], types: ['VOLUME'], clouds: ['lab'] }
    const { allows } = await start({
      roles: {
        user: { rules: [deny, { effect: 'allow' }] },
        boss: { rules: [{ effect: 'allow' }] },
      },
    })
    const boss = { ...ana, roles: ['boss', 'user'] }
    assert.equal(await allows({ user: boss, name: 'delete', type: 'VOLUME' }), false)
    assert.equal(await allows({ user: boss, name: 'delete', type: 'VOLUME', cloud: 'x' }), true)
    assert.equal(await allows({ user: boss, name: 'delete', type: 'COMPUTE' }), true)
  })

  test('a rule for some clouds says nothing about operations without a cloud', async () => {
    const { allows } = await start(roles({ effect: 'allow', clouds: ['l*'] }))
    assert.equal(await allows({ cloud: 'lab' }), true)
    assert.equal(await allows({ cloud: 'prod' }), false)
    assert.equal(await allows({ cloud: undefined }), false)
  })

  test('patterns match whole values', async () => {
    const { allows } = await start(
      roles({ effect: 'allow', operations: ['get*', '*Snapshot', 'a*b*c'] }),
    )
    for (const name of ['get', 'getAll', 'takeSnapshot', 'abc', 'axxbxxc'])
      assert.equal(await allows({ name }), true, name)
    for (const name of ['forget', 'takeSnapshots', 'ab', 'acb', 'Get'])
      assert.equal(await allows({ name }), false, name)
  })

  test('anyOwner opens what belongs to others, for what the rule covers', async () => {
    const support = { effect: 'allow', operations: ['get'], anyOwner: true }
    const { allows } = await start(roles({ effect: 'allow' }, support))
    assert.equal(await allows({ name: 'get', owner: bob }), true)
    assert.equal(await allows({ name: 'delete', owner: bob }), false)
  })

  test('administrators’ work is granted to others by its full name only', async () => {
    const { allows } = await start(roles({ effect: 'allow', operations: ['*', 'listAudit'] }))
    assert.equal(await allows({ name: 'listAudit', type: 'AUDIT' }), true)
    assert.equal(await allows({ name: 'reload', type: 'CONFIGURATION' }), false)
  })

  test('who is denied learns what, where and what to do', async () => {
    const deny = { effect: 'deny', operations: ['delete'], types: ['VOLUME'] }
    const { ask } = await start(roles({ effect: 'allow' }, deny))
    await assert.rejects(ask({ name: 'delete', type: 'VOLUME' }), {
      code: 'unauthorized',
      message:
        "role 'user' may not delete VOLUME in cloud 'lab'; ask an administrator for a role that may",
    })
    await assert.rejects(ask({ name: 'get', owner: bob }), { message: /belongs to somebody else/ })
    await assert.rejects(ask({ name: 'reload', type: 'CONFIGURATION' }), {
      message: /for administrators/,
    })
  })

  test('a listed user has the roles of the list beside those of the token', async () => {
    const { allows } = await start({ users: { 'ana@site-a': ['admin'] } })
    assert.equal(await allows({ name: 'reload', type: 'CONFIGURATION' }), true)
    const other = { ...ana, identityProviderId: 'site-b' }
    assert.equal(await allows({ user: other, name: 'reload', type: 'CONFIGURATION' }), false)
  })
})

describe('policies in JSON', () => {
  const readOnly = {
    defaultRole: 'reader',
    roles: {
      reader: { permissions: ['reading'] },
      admin: { rules: [{ effect: 'allow', anyOwner: true }] },
    },
    permissions: { reading: [{ effect: 'allow', operations: ['get*'] }] },
  }

  test('setPolicy replaces everything, and holds after a restart', async () => {
    const before = await start()
    await before.setPolicy(readOnly)
    for (const { allows } of [before, await start({}, before.host.restarted())]) {
      assert.equal(await allows({ name: 'get' }), true)
      assert.equal(await allows({ name: 'create' }), false)
    }
  })

  test('a stored policy that the configuration no longer fits stays in force, with a warning', async () => {
    const before = await start()
    await before.setPolicy(readOnly)
    const host = createFakeHost({ config: { adminRole: 'boss' }, entries: before.host.entries })
    const { allows } = await start({}, host)
    assert.equal(await allows({ name: 'create' }), false)
    assert.match(host.logged.find(({ level }) => level === 'warn')?.message ?? '', /no 'boss'/)
  })

  test('updatePolicy adds, replaces, and removes with null', async () => {
    const { allows, setPolicy, updatePolicy } = await start()
    await setPolicy(readOnly)
    await updatePolicy({ roles: { maker: { rules: [{ effect: 'allow' }] } } })
    const maker = { ...ana, roles: ['maker'] }
    assert.equal(await allows({ user: maker }), true)
    await updatePolicy({ roles: { maker: null } })
    assert.equal(await allows({ user: maker }), false)
  })

  test('two updates at the same time both count', async () => {
    const { allows, updatePolicy } = await start(roles({ effect: 'deny' }))
    const maker = { rules: [{ effect: 'allow' }] }
    await Promise.all([
      updatePolicy({ roles: { one: maker } }),
      updatePolicy({ roles: { two: maker } }),
    ])
    for (const role of ['one', 'two'])
      assert.equal(await allows({ user: { ...ana, roles: [role] } }), true)
  })

  const refused: [why: string, policy: unknown, message: RegExp][] = [
    ['an unknown key', { ...readOnly, rolls: {} }, /'rolls' is not a known key/],
    ['a wrong effect', roles({ effect: 'permit' }), /roles\.user\.rules\[0\]\.effect/],
    ['an unknown rule field', roles({ effect: 'allow', cloud: 'x' }), /'cloud' is not a known key/],
    [
      'operations as text',
      roles({ effect: 'allow', operations: 'get' }),
      /operations: must be a list/,
    ],
    ['an unknown permission', { roles: { user: { permissions: ['x'] } } }, /there is no 'x'/],
    ['an unknown default role', { ...readOnly, defaultRole: 'x' }, /defaultRole: there is no 'x'/],
    [
      'an unknown role of a user',
      { ...readOnly, users: { a: ['x'] } },
      /users\.a: there is no 'x'/,
    ],
    ['a policy without administrators', { roles: { admin: null } }, /there is no 'admin'/],
    [
      'a policy that locks administrators out',
      { roles: { admin: { rules: [{ effect: 'deny', operations: ['setPolicy'] }] } } },
      /lock out every administrator/,
    ],
  ]
  for (const [why, policy, message] of refused) {
    test(`${why} is refused with the place, and changes nothing`, async () => {
      const { allows, updatePolicy, host } = await start()
      await assert.rejects(updatePolicy(policy), { code: 'configuration_error', message })
      assert.equal(await allows({ name: 'create' }), true)
      assert.equal(host.entries.size, 0)
    })
  }

  test('a configuration that does not fit together stops the start', async () => {
    await assert.rejects(start({ defaultRole: 'nobody' }), /there is no 'nobody'/)
  })
})

describe('policies in XML', () => {
  const xml = (
    parts: { permissions?: string; roles?: string; users?: string; type?: string } = {},
  ) =>
    `
    <?xml version="1.0" encoding="UTF-8"?>
    <!-- who may do what -->
    <policy>
      <type>${parts.type ?? 'role'}</type>
      <permissions>${
        parts.permissions ??
        `<permission><name>all</name><type>org.example.AllowAllExceptPermission</type><operations></operations></permission>
         <permission><name>noStop</name><type>org.example.AllowAllExceptPermission</type><operations>reload,stop</operations></permission>
         <permission><name>reading</name><type>org.example.AllowOnlyPermission</type><operations>get,getAll</operations></permission>`
      }</permissions>
      <roles>${
        parts.roles ??
        `<role><name>admin</name><permission>all</permission></role>
         <role><name>member</name><permission>noStop</permission></role>
         <role><name>reader</name><permission>reading</permission></role>`
      }</roles>
      <defaultrole>member</defaultrole>
      <users>${
        parts.users ??
        `<user><userId>ana.site-a</userId><roles>member;admin</roles></user>
         <user><userId>o&apos;neil.site-a</userId><roles>reader</roles></user>`
      }</users>
    </policy>`.trim()

  const member = { ...ana, id: 'somebody', roles: [] }

  test('a permission allows all except, or only, what it lists', async () => {
    const { allows, setPolicy } = await start()
    await setPolicy(xml())
    assert.equal(await allows({ user: member, name: 'stop' }), false)
    assert.equal(await allows({ user: member, name: 'create' }), true)
    const reader = { ...member, id: "o'neil" }
    assert.equal(await allows({ user: reader, name: 'getAll' }), true)
    assert.equal(await allows({ user: reader, name: 'create' }), false)
  })

  test('a user is allowed what any of his roles allows', async () => {
    const { allows, setPolicy } = await start()
    await setPolicy(xml())
    assert.equal(await allows({ user: { ...ana, roles: [] }, name: 'stop' }), true)
    const reload = { name: 'reload', type: 'CONFIGURATION' }
    assert.equal(await allows({ user: { ...ana, roles: [] }, ...reload }), true)
    assert.equal(await allows({ user: member, ...reload }), false)
  })

  test('updatePolicy merges by name, and an empty part removes', async () => {
    const { allows, setPolicy, updatePolicy } = await start()
    await setPolicy(xml())
    const change = {
      permissions: `<permission><name>reading</name><type></type><operations/></permission>
        <permission><name>noStop</name><type>AllowOnlyPermission</type><operations>create</operations></permission>`,
      roles: '<role><name>reader</name><permission></permission></role>',
      users: "<user><userId>o'neil.site-a</userId><roles></roles></user>",
    }
    await updatePolicy(xml(change))
    assert.equal(await allows({ user: member, name: 'create' }), true)
    assert.equal(await allows({ user: member, name: 'get' }), false)
  })

  const refused: [why: string, policy: string, message: RegExp][] = [
    ['another type', xml({ type: 'list' }), /'role', not 'list'/],
    [
      'a part that is missing',
      xml().replace(/<users>[\s\S]*<\/users>/, ''),
      /<users> is there 0 times/,
    ],
    [
      'a part that is there twice',
      xml().replace('<type>role', '<type/><type>role'),
      /<type> .* 2 times/,
    ],
    ['an unknown element', xml().replace('<users>', '<x/><users>'), /<x> is not known/],
    [
      'an unknown class',
      xml({
        permissions: '<permission><name>a</name><type>x.Deny</type><operations/></permission>',
      }),
      /permission 'a'.*'x\.Deny'/,
    ],
    ['a document type', xml().replace('<policy>', '<!DOCTYPE x><policy>'), /DOCTYPE/],
    ['an entity', xml().replace('member;admin', '&x;'), /'&x;'/],
    ['an ampersand', xml().replace('member;admin', 'a & b'), /'&'/],
    ['an attribute', xml().replace('<type>', '<type a="b">'), /not understood/],
    ['character data', xml().replace('member;admin', '<![CDATA[admin]]>'), /not understood/],
    ['an element that is not closed', xml().replace('</policy>', ''), /<policy> is not closed/],
    [
      'elements that cross',
      xml().replace('</roles></user>', '</user></roles>'),
      /<\/user> closes <roles>/,
    ],
    ['something after the end', `${xml()}<policy/>`, /nothing beside it/],
    ['deep nesting', '<a>'.repeat(100), /deep/],
    [
      'an unknown role of a user',
      xml().replace('member;admin', 'member;boss'),
      /there is no 'boss'/,
    ],
  ]
  for (const [why, policy, message] of refused) {
    test(`${why} is refused with the place, and changes nothing`, async () => {
      const { allows, setPolicy, host } = await start()
      await assert.rejects(setPolicy(policy), { code: 'configuration_error', message })
      assert.equal(await allows({ user: member, name: 'stop' }), true)
      assert.equal(host.entries.size, 0)
    })
  }
})
