module.exports = globalThis.process
