#!/usr/bin/env node
// JavaScript, so that a Node that cannot read TypeScript still says what is wrong.
import { problem } from './typescript.mjs'

if (problem) {
  process.stderr.write(`fogbow-plugin: ${problem}\n`)
  process.exitCode = 1
} else {
  const { runCommand } = await import('./command.ts')
  process.exitCode = await runCommand(process.argv.slice(2))
  // A timer or connection that the plugin left open must not keep the command from ending.
  setTimeout(() => process.exit(), 500).unref()
}
