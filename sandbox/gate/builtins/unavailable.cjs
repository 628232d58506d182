/**
 * Stands for a module that plugins do not have. Its members can be taken, passed on and inherited from, since packages
 * do that when they are loaded; calling one throws. They sit behind the prototype so that they are found after the
 * bundler's conversion between module systems as well.
 */
module.exports = function unavailable(moduleName, members) {
  const found = new Map()
  const missing = new Proxy(Object.create(null), {
    get: (_, key) => memberOf(found, moduleName, key),
  })
  return Object.assign(Object.create(missing), members)
}

function memberOf(found, owner, key) {
  if (typeof key === 'symbol' || key === 'then' || key === '__esModule') return undefined
  if (!found.has(key)) found.set(key, callable(`${owner}.${key}`))
  return found.get(key)
}

function callable(path) {
  const found = new Map()
  const refuse = () => {
    throw new Error(
      `${path} of Node is not available to plugins; what they may reach is in their host object`,
    )
  }
  return new Proxy(function unavailable() {}, {
    apply: refuse,
    construct: refuse,
    get: (target, key) => (key in target ? target[key] : memberOf(found, path, key)),
  })
}
