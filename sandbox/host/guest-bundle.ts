import { parentPort, workerData } from 'node:worker_threads'
import { type BuildOptions, build, type Plugin, stop } from 'esbuild'

/** Files to start from. */
export interface BundlingTask {
  supervisor: string
  prelude: string
  streams: string
  sdk: string
}

export interface GuestTexts {
  supervisor: string
  prelude: string
  /** A library that the prelude asks for when streams are first touched. */
  streams: string
}

const streamsLibrary = 'web-streams-polyfill'

const task = workerData as BundlingTask
const texts = await bundleGuest(task)
await stop()
parentPort?.postMessage(texts)

async function bundleGuest(task: BundlingTask): Promise<GuestTexts> {
  const plugins = [sdkModule(task.sdk)]
  const [code, prelude, streams] = await Promise.all([
    bundleOne({
      entryPoints: [task.supervisor],
      format: 'cjs',
      platform: 'node',
      minifyWhitespace: true,
      plugins,
    }),
    bundleOne({
      entryPoints: [task.prelude],
      format: 'iife',
      globalName: 'prelude',
      platform: 'neutral',
      external: [streamsLibrary],
      minifyWhitespace: true,
      plugins,
    }),
    bundleOne({
      entryPoints: [task.streams],
      format: 'iife',
      globalName: 'streams',
      platform: 'neutral',
      minifyWhitespace: true,
    }),
  ])
  const wrapped = `(function (require) { 'use strict'; const module = { exports: {} };${code}\nreturn module.exports })`
  return { supervisor: wrapped, prelude, streams }
}

async function bundleOne(options: BuildOptions): Promise<string> {
  const result = await build({
    ...options,
    bundle: true,
    write: false,
    target: 'es2024',
    legalComments: 'none',
  })
  return result.outputFiles?.[0]?.text ?? ''
}

/** Of the SDK the guest needs its errors; everything else is left out. */
function sdkModule(entry: string): Plugin {
  return {
    name: 'sdk-module',
    setup(builder) {
      builder.onResolve({ filter: /^@fogbow\/plugin-sdk$/ }, () => ({
        path: entry,
        sideEffects: false,
      }))
    },
  }
}
