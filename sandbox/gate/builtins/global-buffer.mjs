// Injected by the bundler into modules that name `Buffer` without importing it.
export { Buffer } from 'node:buffer'
