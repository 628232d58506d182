const path = require('path-browserify')

module.exports = path
