// Lets Node read TypeScript also inside `node_modules`, where it leaves types in place: import this before anything
// that imports the SDK, or start with `node --import @fogbow/plugin-sdk/typescript`.
import { readFileSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { fileURLToPath } from 'node:url'

const { registerHooks, stripTypeScriptTypes } = nodeModule

/** Why TypeScript cannot be read; undefined when it can. */
export const problem =
  registerHooks && stripTypeScriptTypes
    ? undefined
    : `Node ${process.versions.node} cannot read TypeScript; Node 22.15 or later is needed`

if (!problem) {
  stripQuietly()
  registerHooks({
    load(url, context, nextLoad) {
      if (!isForUs(url)) return nextLoad(url, context)
      const source = stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'))
      return { format: 'module', source, shortCircuit: true }
    },
  })
}

/** Node warns once that stripping is experimental; whoever only uses a plugin's tools has no use for that. */
function stripQuietly() {
  const { emitWarning } = process
  process.emitWarning = () => {}
  stripTypeScriptTypes('')
  process.emitWarning = emitWarning
}

function isForUs(url) {
  const isTypeScript = url.startsWith('file:') && url.endsWith('.ts')
  return isTypeScript && (!process.features.typescript || url.includes('/node_modules/'))
}
