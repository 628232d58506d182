import { testAttacks } from '../support/attack-tests.ts'

/** Modules of Node that act on the thread or the process, asked for in every way a plugin may think of. */
const modules = `
const loaders = [() => require, () => process.getBuiltinModule, () => process.mainModule.require, () => module.require, () => module.constructor._load, () => module.constructor.createRequire('/'), () => globalThis.require, () => process.binding, () => (name) => import.meta]
const load = (name) => { for (const loader of loaders) for (const full of [name, 'node:' + name]) { const found = attempt(() => loader()(full)); if (found) return found } }
`.replace('() => (name) => import.meta', '() => () => undefined')

await testAttacks([
  {
    by: 'a worker of its own',
    before: modules,
    code: `const { Worker } = load('worker_threads')
      const worker = new Worker("require('node:worker_threads').parentPort.postMessage(require('node:fs').readFileSync(" + JSON.stringify(prey.file) + ", 'utf8'))", { eval: true, execArgv: [], env: {} })
      return new Promise((done) => worker.on('message', done))`,
    open: true,
  },
  {
    by: 'a web worker or a worklet',
    code: `for (const make of [() => new Worker('data:text/javascript,postMessage(process.env)'), () => new SharedWorker('x'), () => navigator.serviceWorker.register('x')]) { const worker = attempt(make); if (worker) return seize(worker) }`,
  },
  {
    by: 'a broadcast channel',
    before: modules,
    code: `const Channel = typeof BroadcastChannel === 'function' ? BroadcastChannel : load('worker_threads').BroadcastChannel
      return seize(new Channel('x'))`,
    open: true,
  },
  {
    by: 'the port of the thread',
    before: modules,
    code: `const found = [load('worker_threads')?.parentPort, globalThis.postMessage, globalThis.onmessage, globalThis.parentPort, globalThis.workerData]
      attempt(() => { globalThis.onmessage = (event) => found.push(event) })
      attempt(() => globalThis.postMessage('[[5,"log",["info","forged"]]]'))
      return seize(...found)`,
    open: true,
  },
  {
    by: 'the environment in /proc',
    before: modules,
    code: "return load('fs').readFileSync('/proc/self/environ', 'utf8')",
    open: true,
  },
  {
    by: 'process.env',
    code: 'return [process.env[prey.variable], JSON.stringify(process.env), Object.entries(process.env)]',
  },
  {
    by: 'a child process',
    before: modules,
    code: "return load('child_process').execFileSync('cat', [prey.file], { encoding: 'utf8' })",
    open: true,
  },
  {
    by: 'sockets of Node',
    before: modules,
    code: 'return visit(load)',
    open: true,
  },
  {
    by: 'sockets of the web',
    code: `const url = 'http://127.0.0.1:' + prey.tcpPort + '/'
      const tries = [() => fetch(url), () => fetch(new Request(url)), () => new WebSocket(url.replace('http', 'ws')), () => new EventSource(url), () => new XMLHttpRequest().open('GET', url), () => navigator.sendBeacon(url), () => new WebTransport(url), () => new RTCPeerConnection(), () => host.connect({ hostname: '127.0.0.1', port: prey.tcpPort }).opened, () => new Image().src = url, () => importScripts(url)]
      for (const run of tries) try { await run() } catch {}
      await host.clock.sleep(20)`,
  },
  {
    by: 'flags of the engine',
    before: modules,
    code: "load('v8').setFlagsFromString('--allow-natives-syntax'); return seize(load('v8').writeHeapSnapshot(prey.trace))",
    open: true,
  },
  {
    by: 'the inspector',
    before: modules,
    code: "const inspector = load('inspector'); inspector.open(0, '127.0.0.1'); const session = new inspector.Session(); session.connect(); return new Promise((done) => session.post('Runtime.evaluate', { expression: 'process.getBuiltinModule(\"fs\").readFileSync(' + JSON.stringify(prey.file) + ', \"utf8\")' }, (error, answer) => { inspector.close(); done(answer?.result?.value) }))",
    open: true,
  },
  {
    by: 'hooks of asynchronous calls',
    before: modules,
    code: "const hooks = load('async_hooks'); const found = []; hooks.createHook({ init: (id, type, trigger, resource) => found.push(resource) }).enable(); setTimeout(() => {}, 1); await 0; return seize(hooks.executionAsyncResource(), new hooks.AsyncLocalStorage(), ...found)",
    open: true,
  },
  {
    by: 'diagnostics, traces, reports and the loader',
    before: modules,
    code: "process.report?.writeReport?.(prey.trace); const found = ['diagnostics_channel', 'trace_events', 'perf_hooks', 'module', 'repl', 'domain', 'vm', 'wasi', 'test', 'sea', 'sqlite', 'cluster', 'util', 'timers', 'os'].map((name) => attempt(() => load(name))); return seize(...found)",
    open: true,
  },
  {
    by: 'a database, whose file the permission model does not watch',
    before: modules,
    code: "const { DatabaseSync } = load('sqlite'); new DatabaseSync(prey.trace).exec('CREATE TABLE x (y)')",
    open: true,
  },
  {
    by: 'native code',
    before: modules,
    code: "return seize(process.dlopen({ exports: {} }, prey.file), load('module').createRequire('/')('x.node'), load('crypto').setEngine('/x'), load('ffi'))",
  },
  {
    by: 'events of the process',
    code: `const found = []
      for (const name of ['on', 'once', 'addListener', 'prependListener']) attempt(() => process[name]('uncaughtException', (...parts) => found.push(...parts)))
      Promise.reject(new Error('nobody handles this')); setTimeout(() => { throw new Error('nor this') }, 1)
      await host.clock.sleep(10)
      for (const name of ['exit', 'abort', 'kill', 'reallyExit', 'emitWarning', 'hrtime', 'memoryUsage', 'stdout', 'permission', 'features', 'config', 'execArgv', 'ppid', 'title']) found.push(attempt(() => process[name]))
      return seize(...found, process)`,
  },
])
