import { testAttacks } from '../support/attack-tests.ts'

const u2028 = String.fromCharCode(0x2028)

/** Ways to have a text compiled, or a module loaded, outside of the compartment. */
await testAttacks([
  { by: 'require', code: 'return loot(require)', open: true },
  { by: 'the process', code: 'return loot(process)', open: true },
  {
    by: 'the constructor of a function',
    code: 'return compile(({}).constructor.constructor)',
    open: true,
  },
  {
    by: 'the constructor of an async function',
    code: 'return compile((async () => {}).constructor)',
    open: true,
  },
  {
    by: 'the constructor of a generator',
    code: 'return compile((function* () {}).constructor)',
    open: true,
  },
  {
    by: 'the constructor of an async generator',
    code: 'return compile((async function* () {}).constructor)',
    open: true,
  },
  { by: 'Function as a global', code: 'return compile(Function)', open: true },
  {
    by: 'Function constructed with a class of the plugin',
    code: 'class Own extends Function {} return compile((text) => new Own(text))',
    open: true,
  },
  {
    by: 'Function through Reflect.construct',
    code: 'return compile((text) => Reflect.construct((() => {}).constructor, [text], Array))',
    open: true,
  },
  {
    by: 'import()',
    code: "return loot((await import('node:process')).default)",
    open: true,
    refused: true,
  },
  {
    by: 'import() in an indirect eval',
    code: `return loot((await (0, eval)('imp' + 'ort("node:process")')).default)`,
  },
  {
    by: 'import() in a direct eval',
    code: `return loot((await eval('imp' + 'ort("node:process")')).default)`,
    open: true,
    refused: true,
  },
  {
    by: 'import() in a text given to Function',
    code: `const load = (() => {}).constructor('return imp' + 'ort("node:process")'); return loot((await load()).default)`,
  },
  {
    by: 'import() with a comment between',
    code: "return loot((await import/* */('node:process')).default)",
    open: true,
    refused: true,
  },
  {
    by: 'import() with the end of a line between',
    code: "return loot((await import\n('node:process')).default)",
    open: true,
    refused: true,
  },
  {
    by: 'import() with a line separator between',
    code: `return loot((await import${u2028}('node:process')).default)`,
    open: true,
    refused: true,
  },
  {
    by: 'import() behind a spread',
    code: "const found = { ...await import('node:process') }; return loot(found.default)",
    open: true,
    refused: true,
  },
  {
    by: 'import() straight behind the dots of a spread',
    code: "const load = (...promises) => promises[0]; return loot((await load(...[0], ...import('node:process').then ? [] : [])).default)",
    refused: true,
  },
  {
    by: 'import() behind an HTML comment',
    code: "let load\n<!-- x\nload = import\n--> y\n('node:process')\nreturn loot((await load).default)",
    refused: true,
  },
  {
    by: 'import() spelled with an escape',
    code: "return loot((await \\u0069mport('node:process')).default)",
    refused: true,
  },
  {
    by: 'import() in a template literal',
    code:
      'return loot((await [`$' +
      "{import('node:process').then((found) => { globalThis.got = found })}`, globalThis.got][1]).default)",
    refused: true,
  },
  {
    by: 'import.source()',
    code: "return loot(await import.source('node:process'))",
    refused: true,
  },
  {
    by: 'import.source() with comments and lines between',
    code: "return loot(await [...import\n./* */ // x\nsource('node:process')])",
    refused: true,
  },
  {
    by: 'import.source() spelled with an escape',
    code: "return loot(await import.s\\u006furce('node:process'))",
    refused: true,
  },
  {
    by: 'import.defer()',
    code: "return loot((await import.defer('node:process')).default)",
    refused: true,
  },
  { by: 'import.meta', code: 'return seize(import.meta)', refused: true },
  {
    by: 'a static import',
    code: 'return loot(own)',
    before: "import own from 'node:process'",
    refused: true,
  },
  {
    by: 'the loader behind module',
    code: 'return loot(module.constructor)',
    open: true,
  },
  {
    by: 'bindings of the process',
    code: "for (const name of ['binding', '_linkedBinding']) for (const one of ['fs', 'spawn_sync', 'process_wrap', 'natives']) try { const text = await seize(process[name](one)); if (text) return text } catch {}",
    open: true,
  },
  {
    by: 'leaving the wrapper of the bundle',
    before:
      '}); globalThis.left = this; globalThis.taken = typeof process === "object" ? process : undefined; (function (module, exports) {',
    code: 'return (await seize(globalThis.left, globalThis.taken)) ?? loot(globalThis.left)',
  },
  {
    by: 'leaving the wrapper and running code at the level of the script',
    before:
      '}), await (async () => { globalThis.taken = await loot(process) })(), (function (module, exports) {',
    code: 'return globalThis.taken',
    refused: true,
  },
  {
    by: 'another compartment',
    code: `const found = []
      for (const make of [() => new Compartment(), () => new Compartment({ __options__: true, globals: {} }), () => new (Object.getPrototypeOf(async () => {}).constructor)('return this')])
        try { const other = make(); found.push(other, other.globalThis, other.evaluate?.('this'), other.evaluate?.('process')) } catch {}
      return seize(...found, typeof lockdown === 'undefined' ? 0 : lockdown, typeof eval === 'undefined' ? 0 : eval, typeof ModuleSource === 'undefined' ? 0 : ModuleSource)`,
  },
  {
    by: 'names that another loader may have left',
    code: `for (const name of ['require', 'module', 'exports', '__filename', '__dirname', 'global', 'root', 'GLOBAL', 'internalBinding', 'primordials', 'process', 'globalThis', 'self', 'window', 'top', 'parent', 'frames', 'WorkerGlobalScope', 'Deno', 'Bun', 'v8', '$262', 'd8', 'load', 'read', 'print', 'quit', '%GetOptimizationStatus'])
        try { const text = await seize(globalThis[name]); if (text) return text } catch {}`,
    open: true,
  },
])
