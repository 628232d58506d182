import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits, type HostMethod, type Sandbox, type SandboxEnd } from '@fogbow/sandbox'
import { watchHostLanguage } from '../support/host-language.ts'
import { runBody } from '../support/hostile-plugin.ts'
import { type RawTier, withRawGuests } from '../support/raw-guest.ts'

const mapper = ['federationToLocalMapper']
const offered = "offer(['federationToLocalMapper.getToken'])"
const answering = (answer: string) =>
  `${offered}; receive(([type, id, method, args]) => { if (type === 0 && method !== 'load') { ${answer} } })`

/** Answers honestly, but strikes when it is called for `strike`, and calls the beacon then. */
const striking = (script: string) =>
  answering(
    `if (args[0].id === 'strike') { ${script}; send('[[0,999999,"beacon",[],0]]') }
     send(JSON.stringify([[1, id, { result: '"honest"' }]]))`,
  )

/** How a guest ends that strikes so; `stopped` when it does not. */
async function endAfter(
  tier: RawTier,
  script: string,
  host: Record<string, HostMethod> = {},
): Promise<SandboxEnd['cause']> {
  const language = watchHostLanguage()
  let cause: SandboxEnd['cause'] = 'stopped'
  const use = async (sandbox: Sandbox) => {
    await runBody(sandbox, 'strike').catch(() => {})
    await Promise.race([runBody(sandbox), sandbox.ended]).catch(() => {})
    await sandbox.stop()
    cause = (await sandbox.ended).cause
  }
  await tier.with(striking(script), use, { kinds: mapper, host: { beacon: () => 1, ...host } })
  assert.deepEqual(language.changes(), [])
  return cause
}

await withRawGuests((tier) => {
  const violations: [name: string, script: string, only?: 'worker' | 'process'][] = [
    ['an object', 'send([[1, 1, 2]])', 'worker'],
    [
      'an object with a map',
      'send({ length: 3, frame: new Map([[1, { toString: 1 }]]) })',
      'worker',
    ],
    ['shared memory', 'send(new SharedArrayBuffer(64))', 'worker'],
    ['bytes', 'send(new Uint8Array(64))', 'worker'],
    ['nothing', 'send(undefined)', 'worker'],
    ['a text object', 'send(new String("[]"))', 'worker'],
    ['what is no JSON', "send('{')"],
    ['what is no list', 'send(\'{"0":[1,1,1],"length":1}\')'],
    ['a list of no messages', "send('[[]]')"],
    ['a message of an unknown type', "send('[[9,1,1]]')"],
    ['a message whose type names a method of objects', 'send(\'[["constructor",1,1]]\')'],
    ['an id that is a text', 'send(\'[[1,"1",1]]\')'],
    ['an id that is negative', "send('[[1,-1,1]]')"],
    ['an id that is no integer', "send('[[1,1.5,1]]')"],
    ['an id beyond the safe integers', "send('[[1,1e300,1]]')"],
    ['an id that is an object', 'send(\'[[3,{"valueOf":1}]]\')'],
    ['a call whose arguments are no list', 'send(\'[[0,1,"beacon",{"length":1},0]]\')'],
    ['a call whose method is an object', 'send(\'[[0,1,{"toString":1},[],0]]\')'],
    ['an event without a name', "send('[[5,{},1]]')"],
    ['an error without a message', "send('[[2,' + id + ',{\"code\":1}]]')"],
    ['a frame that is too long', "send('[[5,\"log\",\"' + 'x'.repeat(9e6) + '\"]]')"],
    [
      'a long frame that nests deep',
      "send('[[5,\"log\",' + '['.repeat(2e5) + ']'.repeat(2e5) + ']]')",
    ],
    [
      'a frame whose length says 4 GiB',
      'sendBytes(Buffer.from([255, 255, 255, 255, 0]))',
      'process',
    ],
  ]
  for (const [name, script, only] of violations) {
    if (only && !tier.level.startsWith(only)) continue
    test(`${name} ends the sandbox and changes nothing`, async () => {
      assert.equal(await endAfter(tier, script), 'protocol')
    })
  }

  const nuisances: [name: string, script: string][] = [
    [
      'answers to calls that nobody made',
      'for (let id = 1; id < 5000; id++) send(JSON.stringify([[1, id + 1000, { result: "forged" }], [2, id + 9000, { code: "timeout", message: "x" }]]))',
    ],
    [
      'a second answer to the first call',
      'for (let at = 0; at < 100; at++) send(\'[[1,1,["federationToLocalMapper.constructor"]]]\')',
    ],
    ['cancelling what is not under way', "send('[[3,1],[3,99999999]]')"],
    [
      'a short text that nests deep',
      "send('[[5,\"log\",' + '['.repeat(3e4) + ']'.repeat(3e4) + ']]')",
    ],
    [
      'keys that name parts of the language',
      'send(\'[[5,"log",["info","x",{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}]],[0,1,"beacon",[{"__proto__":{"polluted":1}}],0]]\')',
    ],
    [
      'events of unknown names and forms',
      'send(\'[[5,"__proto__",1],[5,"constructor",{}],[5,"timers",{"a":1}],[5,"log",null],[5,"log",["__proto__","x"]],[5,"log",["info",{}]],[5,"log",{"0":"info"}]]\')',
    ],
    ['an empty frame', "for (let at = 0; at < 1000; at++) send('[]')"],
  ]
  for (const [name, script] of nuisances) {
    test(`${name} changes nothing, and calls are answered`, async () => {
      const host = watchHostLanguage()
      let beacons = 0
      await tier.with(
        striking(script),
        async (sandbox) => {
          await runBody(sandbox, 'strike').catch(() => {})
          assert.equal(await runBody(sandbox), 'honest')
          assert.equal(sandbox.offered.size, 1)
          assert.equal(beacons, 1)
        },
        { kinds: mapper, host: { beacon: () => beacons++ } },
      )
      assert.deepEqual(host.changes(), [])
      assert.equal(({} as { polluted?: unknown }).polluted, undefined)
    })
  }

  test('an answer is believed once, whatever follows it', async () => {
    const script = answering(
      "for (const result of ['first', 'second']) send(JSON.stringify([[1, id, { result: JSON.stringify(result) }]]))",
    )
    await tier.with(
      script,
      async (sandbox) => {
        const answers = await Promise.all([1, 2, 3].map(() => runBody(sandbox)))
        assert.deepEqual(answers, ['first', 'first', 'first'])
      },
      { kinds: mapper },
    )
  })

  test('an answer with keys that name parts of the language costs its call and nothing else', async () => {
    const script = answering(
      `send(args[0].id === 'u-1' ? '[[1,' + id + ',{"result":"1","x":{"__proto__":{"polluted":1}}}]]' : JSON.stringify([[1, id, { result: '2' }]]))`,
    )
    await tier.with(
      script,
      async (sandbox) => {
        await assert.rejects(runBody(sandbox), { code: 'plugin_failure' })
        assert.equal(await runBody(sandbox, 'u-2'), 2)
      },
      { kinds: mapper },
    )
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  })

  test('methods of the host that it was not given are not called, however they are named', async () => {
    const called: string[] = []
    const host: Record<string, HostMethod> = { 'storage.get': () => called.push('storage.get') }
    const names = [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'storage',
      'storage.get ',
      'storage.get.call',
      'Storage.get',
      'load',
      'federationToLocalMapper.getToken',
      '',
      'stream.__proto__',
      'stream.constructor',
      'fetch',
      'connect',
      'secrets.get',
    ]
    const script = answering(
      `const names = ${JSON.stringify(names)}; const answers = []
       receive(([type, number, value]) => { if (type !== 1 && type !== 2) return; answers.push(type === 2 ? value.code : value); if (answers.length === names.length) send(JSON.stringify([[1, id, { result: JSON.stringify(answers) }]])) })
       names.forEach((name, at) => send(JSON.stringify([[0, at + 1, name, [], 0]])))`,
    )
    await tier.with(
      script,
      async (sandbox) => {
        assert.deepEqual(
          await runBody(sandbox),
          names.map(() => 'unauthorized'),
        )
        assert.equal(sandbox.stats().deniedHostCalls, names.length)
      },
      { kinds: mapper, host },
    )
    assert.deepEqual(called, [])
  })

  test('no more calls to the host are under way than were granted', async () => {
    let underWay = 0
    let most = 0
    const slow: HostMethod = async () => {
      most = Math.max(most, ++underWay)
      await new Promise((resolve) => setImmediate(resolve))
      underWay--
    }
    const script = answering(
      `let refused = 0, done = 0
       receive(([type, , value]) => { if (type === 2 && value.code === 'too_many_requests') refused++; if ((type === 1 || type === 2) && ++done === 2000) send(JSON.stringify([[1, id, { result: String(refused) }]])) })
       let frame = []; for (let at = 1; at <= 2000; at++) frame.push([0, at, 'slow', [], 0]); send(JSON.stringify(frame))`,
    )
    await tier.with(script, async (sandbox) => assert.ok(Number(await runBody(sandbox)) > 0), {
      kinds: mapper,
      host: { slow },
      limits: { ...defaultLimits, hostCallsInFlight: 8 },
    })
    assert.equal(most, 8)
  })

  test('the same id twice at once ends the sandbox', async () => {
    const never: HostMethod = () => new Promise(() => {})
    const script = `send('[[0,5,"never",[],0],[0,5,"never",[],0]]')`
    assert.equal(await endAfter(tier, script, { never }), 'protocol')
  })

  test('what it offers beyond its contracts is not offered', async () => {
    const names = [
      'federationToLocalMapper.getToken',
      'federationToLocalMapper.constructor',
      'federationToLocalMapper.__proto__',
      '__proto__.toString',
      'constructor.name',
      'image.getImage',
      'toString',
      '',
      5,
      null,
      {},
    ]
    await tier.with(
      `offer(${JSON.stringify(names)})`,
      async (sandbox) =>
        assert.deepEqual([...sandbox.offered], ['federationToLocalMapper.getToken']),
      { kinds: mapper },
    )
    await tier.with(
      "offer(['__proto__.toString', 'constructor.assign'])",
      async (sandbox) => assert.equal(sandbox.offered.size, 0),
      { kinds: ['__proto__', 'constructor'] },
    )
  })
})
