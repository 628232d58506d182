#!/usr/bin/env node
// JavaScript, so that a Node that cannot read TypeScript still says what is wrong.
import { problem } from '@fogbow/plugin-sdk/typescript'

if (problem) {
  process.stderr.write(`create-fogbow-plugin: ${problem}\n`)
  process.exitCode = 1
} else {
  const { runCommand } = await import('./command.ts')
  process.exitCode = await runCommand(process.argv.slice(2))
}
