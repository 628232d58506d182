#!/usr/bin/env node
// Runs on any Node from 20 on: the command itself needs the one that the workspace root pins.
import { spawn } from 'node:child_process'
import * as module from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NEEDED_MAJOR = 26
const args = process.argv.slice(2)

if (Number.parseInt(process.versions.node, 10) >= NEEDED_MAJOR) {
  delete process.env.FOGBOW_RELAUNCHED
  // Stripping types and compiling take half of the start; both are done once. Nobody else can write there.
  module.enableCompileCache(
    fileURLToPath(new URL('../../node_modules/.cache/fogbow', import.meta.url)),
  )
  // Installed as a package, below `node_modules`, Node would leave the types in place.
  if (import.meta.url.includes('/node_modules/')) await import('@fogbow/plugin-sdk/typescript')
  const { runCli } = await import('./main.ts')
  const exitCode = await runCli(args)
  if (exitCode !== 0) process.exitCode = exitCode
} else if (process.env.FOGBOW_RELAUNCHED) {
  fail(`the Node beside it is ${process.versions.node}, not ${NEEDED_MAJOR}: run npm ci again`)
} else {
  runOn(pinnedNode())
}

function pinnedNode() {
  try {
    return join(
      dirname(module.createRequire(import.meta.url).resolve('node/package.json')),
      'bin',
      'node',
    )
  } catch {
    fail(`needs Node ${NEEDED_MAJOR}, which is not installed beside it: run npm ci first`)
  }
}

function runOn(node) {
  // A terminal sends its signals to the whole group: the child has them already.
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGTERM', 'SIGUSR2']) {
    const fromTerminal = signal === 'SIGINT' || signal === 'SIGQUIT'
    process.on(signal, () => {
      if (!(onTerminal && fromTerminal)) child.kill(signal)
    })
  }
  const file = fileURLToPath(import.meta.url)
  const child = spawn(node, [...process.execArgv, file, ...args], {
    stdio: 'inherit',
    env: { ...process.env, FOGBOW_RELAUNCHED: '1' },
  })
  child.on('error', (error) =>
    fail(`${node} cannot be started: ${error.message}; run npm ci again`),
  )
  child.on('exit', (code, signal) => {
    process.exitCode = signal ? 128 + constants.signals[signal] : (code ?? 1)
  })
}

function fail(problem) {
  process.stderr.write(`fogbow: ${problem}\n`)
  process.exit(1)
}
