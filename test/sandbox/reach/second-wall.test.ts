import assert from 'node:assert/strict'
import { type StdioOptions, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { answerOf, runBody } from '../support/hostile-plugin.ts'
import { createPrey } from '../support/prey.ts'
import { type RawTier, rawTierWithoutNamespaces, withRawGuests } from '../support/raw-guest.ts'

/**
 * The walls behind the compartment, without it: a script of the attacker stands in the place of our code, in a thread or
 * process that is started like those of plugins.
 */
const prey = await createPrey()
const site = `const site = ${JSON.stringify({ pid: process.pid, abstract: `fogbow-prey-${process.pid}` })}`
const shared = `/dev/shm/fogbow-prey-${process.pid}`
let signals = 0
let visitors = 0
const onSignal = () => {
  signals++
}
const abstract = createServer((socket) => {
  visitors++
  socket.destroy()
})

before(async () => {
  process.on('SIGWINCH', onSignal)
  await new Promise<void>((resolve) =>
    abstract.listen({ path: `\0fogbow-prey-${process.pid}` }, resolve),
  )
})
after(() => {
  process.off('SIGWINCH', onSignal)
  abstract.close()
  rmSync(shared, { force: true })
})

/** What a script reached whose body is `code`. */
async function effectsOf(tier: RawTier, code: string): Promise<string[]> {
  const heard: unknown[] = []
  const script = `
    ${prey.tools}
    ${site}
    offer(['federationToLocalMapper.getToken'])
    const run = async () => { ${code} }
    receive(([type, id, method]) => {
      if (type !== 0 || method === 'load') return
      run().catch((error) => 'failed: ' + error).then((answer) => send(JSON.stringify([[1, id, { result: JSON.stringify(answer ?? null) }]])))
    })`
  const use = async (sandbox: Parameters<typeof runBody>[0]) => {
    heard.push(await runBody(sandbox).catch(String))
    // A signal is handled in a turn of its own.
    await new Promise((resolve) => setImmediate(resolve))
  }
  await tier.with(script, use, { kinds: ['federationToLocalMapper'] })
  const effects = await prey.effects(heard)
  if (signals > 0) effects.push('signal')
  if (visitors > 0) effects.push('connection to an abstract socket')
  if (existsSync(shared)) effects.push('shared memory written')
  signals = 0
  visitors = 0
  rmSync(shared, { force: true })
  return effects
}

const attempts: [name: string, code: string][] = [
  ['modules of Node', 'return loot(require)'],
  [
    'bindings of the process',
    "return seize(attempt(() => process.binding('fs')), attempt(() => process._linkedBinding('fs')), process)",
  ],
  ['import()', "return loot((await import('node:module')).createRequire('/'))"],
  [
    'links and other names of files',
    "const fs = require('node:fs'); attempt(() => fs.symlinkSync(prey.file, prey.trace)); attempt(() => fs.linkSync(prey.file, prey.trace)); attempt(() => fs.renameSync(prey.file, prey.trace)); attempt(() => fs.mkdirSync(prey.trace)); return ['/proc/self/root' + prey.file, '/proc/1/root' + prey.file, '/proc/' + site.pid + '/root' + prey.file, '/proc/self/cwd' + prey.file, '//' + prey.file, Buffer.from(prey.file), new URL('file://' + prey.file)].map((path) => attempt(() => fs.readFileSync(path, 'utf8')))",
  ],
  [
    'promises, streams and handles of files',
    "const fs = require('node:fs'); const read = async (run) => { try { return String(await run()) } catch {} }; return [await read(() => fs.promises.readFile(prey.file)), await read(async () => (await fs.promises.open(prey.file)).readFile()), await read(() => new Promise((done, fail) => fs.createReadStream(prey.file).on('error', fail).on('data', done))), await read(async () => (await fs.openAsBlob(prey.file)).text()), await read(() => fs.promises.writeFile(prey.trace, 'x'))]",
  ],
  [
    'what /proc tells of the site',
    "const fs = require('node:fs'); return ['environ', 'mem', 'maps', 'cmdline', 'fd/0', 'fd/20', 'task/' + site.pid + '/environ'].flatMap((name) => [site.pid, 'self', 1, process.ppid].map((pid) => attempt(() => fs.readFileSync('/proc/' + pid + '/' + name, 'latin1'))))",
  ],
  [
    'a child process',
    "return ['spawnSync', 'execFileSync', 'execSync'].map((name) => attempt(() => String(require('node:child_process')[name]('/bin/cat', [prey.file]).stdout)))",
  ],
  [
    'a child process of the binding',
    "const { spawn } = process.binding('spawn_sync'); return String(spawn({ file: '/bin/cat', args: ['cat', prey.file], stdio: [{ type: 'pipe', readable: true, writable: false }, { type: 'pipe', readable: false, writable: true }, { type: 'inherit', fd: 2 }] }).output)",
  ],
  [
    'another thread',
    "const { Worker } = require('node:worker_threads'); const worker = new Worker('require(\"node:worker_threads\").parentPort.postMessage(String(require(\"node:fs\").readFileSync(' + JSON.stringify(prey.file) + ')))', { eval: true, execArgv: [], env: process.env }); return new Promise((done) => { worker.on('message', done); worker.on('error', () => done()) })",
  ],
  [
    'native code',
    "const found = []; attempt(() => process.dlopen({ exports: {} }, prey.file)); attempt(() => require('node:module').createRequire('/')('./x.node')); return found",
  ],
  [
    'servers, datagrams and queries of its own',
    "const net = require('node:net'); const dgram = require('node:dgram'); const { Resolver } = require('node:dns'); attempt(() => { const socket = dgram.createSocket({ type: 'udp4' }); socket.on('error', () => {}); socket.connect(prey.udpPort, '127.0.0.1', () => socket.send('x')) }); const ask = new Promise((done) => { try { const resolver = new Resolver({ timeout: 200, tries: 1 }); resolver.setServers(['127.0.0.1:' + prey.udpPort]); resolver.resolve4('x.example', done) } catch { done() } }); await ask; attempt(() => net.connect({ path: '\\0' + site.abstract }).on('error', () => {})); for (const path of ['/run/docker.sock', '/run/dbus/system_bus_socket']) attempt(() => net.connect({ path }).on('error', () => {})); await new Promise((done) => setTimeout(done, 50))",
  ],
  [
    'sockets of its own behind those of Node',
    "const { TCP, constants, TCPConnectWrap } = process.binding('tcp_wrap'); const handle = new TCP(constants.SOCKET); const request = new TCPConnectWrap(); request.oncomplete = () => {}; handle.connect(request, '127.0.0.1', prey.tcpPort); await new Promise((done) => setTimeout(done, 50))",
  ],
  [
    'fetch and web sockets of Node',
    "const url = 'http://127.0.0.1:' + prey.tcpPort; await fetch(url).catch(() => {}); attempt(() => new WebSocket(url.replace('http', 'ws'))); attempt(() => new EventSource(url)); await new Promise((done) => setTimeout(done, 50))",
  ],
  [
    'the inspector',
    "const inspector = require('node:inspector'); attempt(() => inspector.open(0, '127.0.0.1')); const session = new inspector.Session(); session.connect(); return new Promise((done) => { session.post('Runtime.evaluate', { expression: \"process.getBuiltinModule('fs').readFileSync(\" + JSON.stringify(prey.file) + \", 'utf8')\" }, (error, answer) => done(answer?.result?.value)) })",
  ],
  [
    'snapshots, reports and traces',
    "attempt(() => require('node:v8').writeHeapSnapshot(prey.trace)); attempt(() => process.report.writeReport(prey.trace)); attempt(() => require('node:trace_events').createTracing({ categories: ['node'] }).enable()); attempt(() => require('node:v8').setHeapSnapshotNearHeapLimit(1)); attempt(() => require('node:module').enableCompileCache(prey.trace))",
  ],
  [
    'shared memory and temporary files',
    "for (const path of ['/dev/shm/fogbow-prey-' + site.pid, prey.trace, prey.file]) attempt(() => require('node:fs').writeFileSync(path, 'x'))",
  ],
  [
    'another account',
    "for (const run of [() => process.setuid(0), () => process.seteuid(0), () => process.setgid(0), () => process.setgroups([0]), () => process.initgroups('root', 0), () => process.chdir('/root')]) attempt(run); return loot(require)",
  ],
  [
    'wasi',
    "const { WASI } = require('node:wasi'); const wasi = new WASI({ version: 'preview1', preopens: { '/': '/' } }); return seize(wasi)",
  ],
]

await withRawGuests(
  (tier) => {
    for (const [name, code] of attempts) {
      test(`nothing is reached by ${name}`, async () => {
        assert.deepEqual(await effectsOf(tier, code), [])
      })
    }

    const killing = `for (const pid of [site.pid, process.ppid, process.pid, 0, -1, 1]) for (const signal of ['SIGWINCH']) if (tier === 'worker' || pid !== process.pid) attempt(() => process.kill(pid, signal))`
    const sqlite =
      "const { DatabaseSync } = require('node:sqlite'); const db = new DatabaseSync(prey.trace); db.exec('CREATE TABLE x (y)'); db.close()"

    if (tier.level === 'process+ns') {
      test('no signal reaches the site or another plugin', async () => {
        assert.deepEqual(await effectsOf(tier, killing), [])
        await tier.with(
          "offer(['federationToLocalMapper.getToken']); receive(([type, id, method]) => { if (type === 0 && method !== 'load') send(JSON.stringify([[1, id, { result: '1' }]])) })",
          async (neighbour) => {
            const all =
              'for (let pid = 1; pid < 70000; pid++) if (pid !== process.pid) attempt(() => process.kill(pid, "SIGKILL"))'
            assert.deepEqual(await effectsOf(tier, all), [])
            assert.equal(await runBody(neighbour), 1)
          },
          { kinds: ['federationToLocalMapper'] },
        )
      })

      test('a signal to itself opens no debugger', async () => {
        const code =
          "process.kill(process.pid, 'SIGUSR1'); await new Promise((done) => setTimeout(done, 100)); return [require('node:inspector').url() === undefined ? 'closed' : 'open']"
        let heard: unknown
        await tier
          .with(
            `offer(['federationToLocalMapper.getToken']); receive(async ([type, id, method]) => { if (type === 0 && method !== 'load') { const answer = await (async () => { ${code} })(); send(JSON.stringify([[1, id, { result: JSON.stringify(answer) }]])) } })`,
            async (sandbox) => {
              heard = await runBody(sandbox)
            },
            { kinds: ['federationToLocalMapper'] },
          )
          .catch(() => {})
        assert.notDeepEqual(heard, ['open'])
      })
    }

    if (tier.level !== 'worker') {
      test('no database is opened', async () => {
        assert.deepEqual(await effectsOf(tier, sqlite), [])
      })
      return
    }

    test('signals and databases pass the permission model of Node, and only the compartment keeps plugins from them', async () => {
      assert.deepEqual(await effectsOf(tier, killing), ['signal'])
      assert.deepEqual(await effectsOf(tier, sqlite), ['file written'])
      const tries = `const found = []
      for (const run of [() => process.kill, () => process.pid, () => require('node:sqlite'), () => process.getBuiltinModule('node:sqlite'), () => process.binding('process_methods')]) try { found.push(typeof run()) } catch { found.push('nothing') }
      return found.filter((kind) => kind !== 'nothing' && kind !== 'undefined')`
      assert.deepEqual(await answerOf(tier, tries), [])
    })
  },
  [await rawTierWithoutNamespaces()],
)

test('descriptors that the site was started with stay with the site', () => {
  const held = openSync(prey.targets.file, 'r')
  try {
    const stdio: StdioOptions = ['ignore', 'pipe', 'inherit', ...Array(37).fill('ignore'), held]
    const script = join(import.meta.dirname, '../support/leaking-site.ts')
    const site = spawnSync(process.execPath, [script], { stdio, encoding: 'utf8' })
    assert.match(site.stdout, /^nothing$/m)
  } finally {
    closeSync(held)
  }
})
