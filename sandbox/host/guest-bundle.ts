import { parentPort, workerData } from 'node:worker_threads'
import { type BuildOptions, build, type Plugin, stop } from 'esbuild'

/** Files to start from. */
export interface BundlingTask {
  supervisor: string
  prelude: string
  sdk: string
}

export interface GuestTexts {
  supervisor: string
  prelude: string
}

const task = workerData as BundlingTask
const texts = await bundleGuest(task)
await stop()
parentPort?.postMessage(texts)

async function bundleGuest({ supervisor, prelude, sdk }: BundlingTask): Promise<GuestTexts> {
  const plugins = [sdkModule(sdk)]
  const [code, preludeCode] = await Promise.all([
    bundleOne({
      entryPoints: [supervisor],
      format: 'cjs',
      platform: 'node',
      minifyWhitespace: true,
      plugins,
    }),
    bundleOne({
      entryPoints: [prelude],
      format: 'iife',
      globalName: 'prelude',
      platform: 'neutral',
      minifyWhitespace: true,
      plugins,
    }),
  ])
  const wrapped = `(function (require) { 'use strict'; const module = { exports: {} };${code}\nreturn module.exports })`
  return { supervisor: wrapped, prelude: preludeCode }
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
