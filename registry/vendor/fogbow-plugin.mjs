#!/usr/bin/env node
// JavaScript, so that a Node that cannot read TypeScript still says what is wrong.
const NEEDED_MAJOR = 26

if (Number.parseInt(process.versions.node, 10) < NEEDED_MAJOR) {
  const problem = `Node ${process.versions.node} is too old; Node ${NEEDED_MAJOR} or later is needed`
  process.stderr.write(`fogbow-plugin: ${problem}\n`)
  process.exitCode = 1
} else {
  await import('@fogbow/plugin-sdk/typescript')
  const { runCommand } = await import('./command.ts')
  process.exitCode = await runCommand(process.argv.slice(2))
  // A timer or connection that the plugin left open must not keep the command from ending.
  setTimeout(() => process.exit(), 500).unref()
}
