const { inspect, isDeepStrictEqual } = require('./util.cjs')

class AssertionError extends Error {
  constructor({ message, actual, expected, operator }) {
    super(message ?? `${inspect(actual)} ${operator} ${inspect(expected)}`)
    this.name = 'AssertionError'
    this.code = 'ERR_ASSERTION'
    Object.assign(this, { actual, expected, operator })
  }
}

function assert(value, message) {
  if (!value) fail(message ?? 'The expression evaluated to a falsy value')
}

function fail(message = 'Failed') {
  throw message instanceof Error ? message : new AssertionError({ message })
}

const comparison = (operator, holds) => (actual, expected, message) => {
  if (holds(actual, expected)) return
  if (message instanceof Error) throw message
  throw new AssertionError({ message, actual, expected, operator })
}

function expectThrown(thrown, error, expected, message) {
  if (!thrown) fail(message ?? 'Missing expected exception')
  if (typeof expected === 'function' && !(expected.prototype && error instanceof expected)) {
    const isClass = expected.prototype === Error.prototype || expected.prototype instanceof Error
    if (isClass || expected(error) !== true) throw error
  }
  if (expected instanceof RegExp && !expected.test(String(error))) throw error
}

function throws(run, expected, message) {
  let thrown
  try {
    run()
  } catch (error) {
    thrown = { error }
  }
  expectThrown(thrown, thrown?.error, expected, message)
}

async function rejects(promise, expected, message) {
  let thrown
  try {
    await (typeof promise === 'function' ? promise() : promise)
  } catch (error) {
    thrown = { error }
  }
  expectThrown(thrown, thrown?.error, expected, message)
}

// biome-ignore lint/suspicious/noDoubleEquals: that is what it compares with
const loose = (actual, expected) => actual == expected
const not = (holds) => (actual, expected) => !holds(actual, expected)

module.exports = Object.assign(assert, {
  AssertionError,
  fail,
  ok: assert,
  strict: assert,
  equal: comparison('==', loose),
  notEqual: comparison('!=', not(loose)),
  strictEqual: comparison('===', Object.is),
  notStrictEqual: comparison('!==', not(Object.is)),
  deepEqual: comparison('deepEqual', isDeepStrictEqual),
  deepStrictEqual: comparison('deepStrictEqual', isDeepStrictEqual),
  notDeepEqual: comparison('notDeepEqual', not(isDeepStrictEqual)),
  notDeepStrictEqual: comparison('notDeepStrictEqual', not(isDeepStrictEqual)),
  match: comparison('match', (text, pattern) => pattern.test(text)),
  doesNotMatch: comparison('doesNotMatch', (text, pattern) => !pattern.test(text)),
  ifError: (value) => {
    if (value !== null && value !== undefined) throw value
  },
  rejects,
  throws,
})
