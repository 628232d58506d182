const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate } =
  globalThis

const wait = (ms, value, { signal } = {}) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const giveUp = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', giveUp)
      resolve(value)
    }, ms)
    signal?.addEventListener('abort', giveUp)
  })

module.exports = {
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  setImmediate,
  clearImmediate,
  promises: {
    setTimeout: wait,
    setImmediate: (value) => new Promise((resolve) => setImmediate(() => resolve(value))),
    scheduler: { wait: (ms, options) => wait(ms, undefined, options) },
  },
}
