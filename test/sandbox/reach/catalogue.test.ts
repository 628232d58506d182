import { testAttacks } from '../support/attack-tests.ts'

/** What got out of other sandboxes for JavaScript, by the mechanism, written anew for this one. */
await testAttacks([
  {
    by: 'the accessors of __proto__, taken from elsewhere',
    code: `const found = []
      for (const name of ['__lookupGetter__', '__lookupSetter__']) {
        const accessor = ({})[name]('__proto__')
        for (const one of [fetch, URL, host, host.storage.get, setTimeout, console.log, crypto.subtle, call]) for (let holder = one; holder; holder = attempt(() => accessor.call(holder))) { found.push(holder, attempt(() => Object.getOwnPropertyDescriptor(holder, 'constructor').value)); if (found.length > 200) break }
        attempt(() => accessor.call(Object.prototype, { polluted: 1 }))
      }
      return seize(...found)`,
  },
  {
    by: 'descriptors of descriptors',
    code: `const found = Object.entries(Object.getOwnPropertyDescriptors(Object.getOwnPropertyDescriptors(Function.prototype))).flat(3)
      return seize(...found, ...Object.values(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(async function* () {}))))`,
    open: true,
  },
  {
    by: 'species of promises, with getters that change their mind',
    code: `const found = []
      const fail = async () => { const error = new Error(); error.name = Symbol(); return error.stack + String(error) }
      const species = class { constructor(executor) { executor((value) => found.push(value), (error) => found.push(error)) } }
      let first = true
      for (const promise of [fail(), host.storage.get('x'), fetch('%')]) {
        attempt(() => Object.defineProperty(promise, 'constructor', { get: () => { if (first) { first = false; return Promise } return { [Symbol.species]: species } } }))
        attempt(() => promise.then()); attempt(() => promise.finally(() => {})); promise.catch?.(() => {})
      }
      const forged = Reflect.construct(Promise, [(resolve, reject) => reject(new Error())], species)
      attempt(() => Promise.prototype.then.call(forged, () => {}, (error) => found.push(error)))
      for (const name of ['all', 'race', 'any', 'allSettled', 'resolve', 'reject', 'withResolvers', 'try']) attempt(() => { species[name] = Promise[name]; species[name]([fail(), Promise.reject(new Error())]) })
      await new Promise((done) => setTimeout(done, 10))
      return seize(...found)`,
  },
  {
    by: 'species of arrays that answer with themselves',
    code: `const found = []
      const trap = new Proxy([], { defineProperty: (target, key, property) => { found.push(property.value); return Reflect.defineProperty(target, key, property) }, set: (target, key, value) => { found.push(value); target[key] = value; return true } })
      const list = [fetch, host, setTimeout, call, user]
      list.constructor = { [Symbol.species]: function () { return trap } }
      for (const run of [() => list.map((one) => one), () => list.filter(() => true), () => list.slice(), () => list.concat(list), () => list.splice(0, 1), () => list.flat(), () => list.flatMap((one) => [one])]) attempt(run)
      attempt(() => Object.assign(list, { constructor: list.constructor }))
      class Bytes extends Uint8Array { static get [Symbol.species]() { return function (...parts) { found.push(this, ...parts); return new Uint8Array(64) } } }
      for (const run of [() => crypto.getRandomValues(new Bytes(8)), () => crypto.subtle.digest('SHA-256', new Bytes(8)), () => new TextDecoder().decode(new Bytes(8)), () => new Response(new Bytes(8)).text(), () => structuredClone(new Bytes(8)), () => fetch('http://h/', { method: 'POST', body: new Bytes(8) })]) try { found.push(await run()) } catch (error) { found.push(error) }
      return seize(...found)`,
    open: true,
  },
  {
    by: 'functions of the language that are replaced while promises run',
    code: `const found = []
      const keep = function (...parts) { found.push(this, ...parts); return undefined }
      for (const [holder, key] of [[Function.prototype, 'call'], [Function.prototype, 'apply'], [Function.prototype, 'bind'], [Promise.prototype, 'then'], [Promise, 'resolve'], [Reflect, 'apply'], [Reflect, 'construct'], [Object, 'defineProperty'], [Array.prototype, 'push'], [Array.prototype, 'splice'], [Array.prototype, Symbol.iterator], [Map.prototype, 'get'], [Map.prototype, 'set'], [WeakMap.prototype, 'get'], [Set.prototype, 'has'], [String.prototype, 'replace'], [RegExp.prototype, 'exec'], [RegExp.prototype, Symbol.replace], [JSON, 'stringify'], [Object.prototype, 'toString'], [Object.prototype, 'toJSON'], [Symbol.prototype, Symbol.toPrimitive], [Error.prototype, 'toString']]) {
        attempt(() => { holder[key] = keep }); attempt(() => Object.defineProperty(holder, key, { get: () => keep })); attempt(() => holder.__defineGetter__(key, () => keep))
      }
      await Promise.resolve().then(() => {}); host.log.info('x', {}); await host.storage.get('x').catch(() => {}); await host.clock.sleep(1)
      return seize(...found)`,
  },
  {
    by: 'setters on the prototypes of lists and objects',
    code: `const found = []
      const spy = { set(value) { found.push(this, value) }, get() { found.push(this) }, configurable: true }
      for (const holder of [Array.prototype, Object.prototype, Function.prototype, Uint8Array.prototype]) for (const key of [0, 1, 2, 'length', 'get', 'set', 'value', 'then', 'code', 'message', 'details', 'cause', 'stack', 'url', 'method', 'headers', 'body', 'signal', 'timeout', 'host', 'env', 'shell', 'resolve', 'reject', 'answer', 'cancel', 'prepareStackTrace', 'stackTraceLimit', Symbol.iterator, Symbol.toPrimitive, Symbol.isConcatSpreadable])
        attempt(() => Object.defineProperty(holder, key, spy))
      host.log.info('x', {}); await host.storage.get('x').catch((error) => found.push(error)); await fetch('http://h/', { method: 'POST', body: 'x' }).catch((error) => found.push(error)); new URL('http://h/?a').searchParams.append('b', 'c'); crypto.randomUUID()
      return seize(...found)`,
  },
  {
    by: 'instanceof of our classes made to say something else',
    code: `const found = []
      for (const Class of [Promise, Error, Array, Object, Function, Map, Uint8Array, ArrayBuffer, URL, Request, Response, Headers, AbortSignal, Blob, Object.getPrototypeOf(Promise)]) {
        attempt(() => Object.defineProperty(Class, Symbol.hasInstance, { value: (value) => { found.push(value); return true } })); attempt(() => Class.__defineGetter__(Symbol.hasInstance, () => (value) => found.push(value)))
      }
      await fetch({ toString: () => 'http://h/' }).catch((error) => found.push(error)); console.log({}); attempt(() => structuredClone({})); attempt(() => new Response({}))
      return seize(...found)`,
  },
  {
    by: 'proxies whose traps throw functions',
    code: `const found = []
      const thrower = new Proxy({}, { get: (_, trap) => () => { throw (value) => found.push(value) } })
      const spies = [new Proxy({}, thrower), new Proxy(class {}, { construct: () => (value) => found.push(value) }), Proxy.revocable({}, {}).proxy]
      const gone = Proxy.revocable(function () {}, {}); gone.revoke(); spies.push(gone.proxy)
      for (const spy of spies) for (const run of [() => host.log.info(spy, spy), () => host.storage.set(spy, spy), () => new URL(spy), () => new Headers(spy), () => new Response(spy), () => structuredClone(spy), () => console.error(spy), () => crypto.subtle.importKey('jwk', spy, spy, spy, spy), () => new TextDecoder('utf-8', spy), () => AbortSignal.any([spy]), () => new EventTarget().dispatchEvent(spy), () => setTimeout(spy, 1), () => fetch('http://h/', spy), () => { throw spy }])
        try { await run() } catch (error) { found.push(error); attempt(() => error(() => {})) }
      return seize(...found)`,
  },
  {
    by: 'writing through an heir of what is endowed',
    code: `const found = []
      const keys = ['nodejs.util.promisify.custom', 'nodejs.util.inspect.custom', 'nodejs.rejection', 'nodejs.dispose', 'nodejs.webstream.isClosedPromise', 'undici.globalDispatcher.1', 'undici.globalOrigin.1'].map((name) => Symbol.for(name))
      for (const one of [fetch, setTimeout, URL, host, host.storage, console, crypto, crypto.subtle, process, globalThis]) for (const key of [...keys, 'then', 'toJSON', 'constructor']) {
        const heir = Object.create(one)
        attempt(() => { heir[key] = (...parts) => found.push(...parts) }); attempt(() => Reflect.set(one, key, (...parts) => found.push(...parts), heir)); attempt(() => Object.assign(one, { [key]: (...parts) => found.push(...parts) }))
        found.push(attempt(() => one[key]))
      }
      setTimeout(() => {}, 1); await fetch('http://h/').catch(() => {}); console.log(host)
      return seize(...found)`,
  },
  {
    by: 'the default of prepareStackTrace, brought back',
    code: `const found = []
      for (const value of [undefined, null, 0, {}, () => null]) { attempt(() => { Error.prepareStackTrace = value }); attempt(() => { delete Error.prepareStackTrace }); const error = new Error(); error.name = Symbol(); try { found.push(error.stack, error.toString()) } catch (other) { found.push(other) } }
      return seize(...found)`,
  },
  {
    by: 'asynchronous iterators of the language',
    code: `const found = []
      const proto = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}).prototype)
      for (const holder of [proto, Object.getPrototypeOf(proto), Object.getPrototypeOf(function* () {}.prototype), Iterator?.prototype]) for (const key of ['next', 'return', 'throw', Symbol.asyncIterator, Symbol.iterator, Symbol.asyncDispose]) attempt(() => Object.defineProperty(holder, key, { value: function (...parts) { found.push(this, ...parts); return { done: true } } }))
      for await (const chunk of new Response('abc').body ?? []) found.push(chunk)
      try { await Array.fromAsync({ [Symbol.asyncIterator]() { return { next() { null.x } } } }) } catch (error) { found.push(error) }
      for (const one of [new Headers({ a: 'b' }), new URLSearchParams('a=b'), new FormData()]) for (const part of one) found.push(part)
      return seize(...found)`,
  },
  {
    by: 'finalizers, weak references and late callbacks',
    code: `const found = []
      const late = function (...parts) { found.push(this, ...parts) }
      attempt(() => new FinalizationRegistry(late).register({}, prey)); attempt(() => queueMicrotask(late)); attempt(() => process.nextTick(late, 1)); attempt(() => process.on('exit', late)); attempt(() => process.on('beforeExit', late))
      attempt(() => Atomics.waitAsync(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1).value.then(late)); attempt(() => structuredClone({}, { transfer: [{ [Symbol.iterator]: late }] }))
      await new Promise((done) => setTimeout(done, 5))
      return seize(...found)`,
  },
  {
    by: 'decorators, private names and other syntax that hides what it calls',
    code: `const found = []
      class Base { constructor(value) { return value } }
      class Stamp extends Base { #mark = 1; static has(value) { return #mark in value } static { found.push(this) } accessor = 1 }
      for (const one of [fetch, host, URL, console, globalThis, call, host.config, new URL('http://h/'), new Response('x')]) { attempt(() => new Stamp(one)); found.push(attempt(() => Stamp.has(one))) }
      label: { found.push(new.target, typeof arguments); break label }
      const { constructor: { constructor: made } = {} } = fetch; found.push(made, (function () { return arguments.callee })?.(), \`\${{ toString: () => 'x' }}\`, String.raw\`\${1}\`)
      return seize(...found)`.replace('new.target, ', ''),
    open: true,
  },
])
