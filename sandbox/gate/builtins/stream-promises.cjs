module.exports = require('readable-stream').promises
