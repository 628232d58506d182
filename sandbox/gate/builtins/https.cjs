const { Agent } = require('./http.cjs')
const unavailable = require('./unavailable.cjs')

module.exports = unavailable('https', { Agent, globalAgent: new Agent() })
