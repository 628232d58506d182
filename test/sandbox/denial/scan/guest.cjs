/**
 * The plugin of the scan; `hostile-values.cjs` stands before it. Walks to every function there is for a plugin and calls it
 * on every receiver with every list of arguments, by numbers, so that whoever counts along knows what came last.
 */
const asConstructor = 'new'
const forms = [asConstructor, ...Object.keys(receivers)]
const lists = Object.keys(argumentLists)
const perFunction = forms.length * lists.length

/** Ways to the beginning of the walk that no global shows. */
const hidden = {
  'list iterator': [][Symbol.iterator](),
  'text iterator': ''[Symbol.iterator](),
  'map iterator': new Map().keys(),
  'set iterator': new Set().keys(),
  'match iterator': ''.matchAll(/x/g),
  'iterator helper': Iterator.from([]).map(Boolean),
  'wrapped iterator': Iterator.from({ next: Object }),
  generator: function* () {},
  'generator object': (function* () {})(),
  'async generator': async function* () {},
  'async generator object': (async function* () {})(),
  'async function': async () => {},
  'headers iterator': new Headers().entries(),
  'parameters iterator': new URLSearchParams().entries(),
  'form iterator': new FormData().entries(),
  'stream reader': new ReadableStream().getReader(),
  'byte reader': new Response('x').body.getReader(),
  'stream iterator': new ReadableStream().values(),
  'stream writer': new WritableStream().getWriter(),
  'subtle crypto': crypto.subtle,
}

/** Most calls of the host that wait for their answers. */
const MOST_AHEAD = 64

/** What the host is asked leaves the guest a few microtasks later; nobody has to wait for the answer. */
async function sent() {
  for (let n = 0; n < 8; n++) await null
}

function nameOf(key) {
  return typeof key === 'symbol' ? `[${key.description}]` : String(key)
}

/** Every function that can be reached from `roots`, by the shortest way to it. */
function functionsFrom(roots) {
  const found = new Map()
  const seen = new Map()
  const visit = (value, path) => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return
    if (seen.has(value)) return
    seen.set(value, path)
    if (typeof value === 'function') found.set(path, value)
  }
  for (const [path, value] of Object.entries(roots)) visit(value, path)
  for (const [value, path] of seen) {
    for (const key of Reflect.ownKeys(value)) {
      const { get, set, value: held } = Object.getOwnPropertyDescriptor(value, key)
      const next = path === '' ? nameOf(key) : `${path}.${nameOf(key)}`
      visit(held, next)
      visit(get, `get ${next}`)
      visit(set, `set ${next}`)
    }
    visit(Object.getPrototypeOf(value), `${path}.__proto__`)
  }
  return found
}

/** Receivers and arguments of a function come in no order, so that what is tried first is of every sort. */
function partsOf(number) {
  const place = ((number % perFunction) * 7919) % perFunction
  return {
    at: Math.floor(number / perFunction),
    form: forms[Math.floor(place / lists.length)],
    list: lists[place % lists.length],
  }
}

function callOf(run, form, list) {
  const args = argumentLists[list]()
  if (form === asConstructor) return Reflect.construct(run, args)
  return Reflect.apply(run, receivers[form](), args)
}

/** Iterators do nothing before they are asked, and promises of failures are nobody's concern. */
function follow(answer) {
  if (typeof answer === 'number') clearInterval(answer)
  if (typeof answer !== 'object' || answer === null) return
  if (typeof answer.next === 'function') follow(answer.next())
  else if (typeof answer.then === 'function') answer.then(undefined, Boolean)
}

function attempt(run, form, list) {
  try {
    follow(callOf(run, form, list))
  } catch {}
}

module.exports.default = {
  create(host) {
    for (const name of Reflect.ownKeys(globalThis)) globalThis[name]
    const { storage, ...given } = host
    const found = functionsFrom({ '': globalThis, host: given, ...hidden })
    const functions = [...found.values()]
    return {
      federationToLocalMapper: {
        /** Without numbers in its configuration it tells what there is. */
        async getToken() {
          const { from, to, step, lingerMs, without } = host.config
          if (from === undefined) {
            return { result: JSON.stringify([[...found.keys()], forms, lists]) }
          }
          for (let number = from; number < to; number += step) {
            const { at, form, list } = partsOf(number)
            if (without.at === at && (without.form[form] || without.list[list])) continue
            const told = storage.get(`${number}`)
            if (number % MOST_AHEAD === 0) await told
            else await sent()
            attempt(functions[at], form, list)
          }
          await host.clock.sleep(lingerMs)
          return { result: 'null' }
        },
      },
    }
  },
}
