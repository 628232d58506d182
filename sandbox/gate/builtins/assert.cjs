class AssertionError extends Error {
  constructor({ message }) {
    super(message)
    this.name = 'AssertionError'
    this.code = 'ERR_ASSERTION'
  }
}

function assert(value, message) {
  if (!value) fail(message ?? 'The expression evaluated to a falsy value')
}

function fail(message = 'Failed') {
  throw message instanceof Error ? message : new AssertionError({ message })
}

module.exports = Object.assign(assert, {
  AssertionError,
  fail,
  ok: assert,
  strict: assert,
  // biome-ignore lint/suspicious/noDoubleEquals: that is what it compares with
  equal: (actual, expected, message) => assert(actual == expected, message),
  strictEqual: (actual, expected, message) => assert(Object.is(actual, expected), message),
  notStrictEqual: (actual, expected, message) => assert(!Object.is(actual, expected), message),
})
