import { asFogbowError } from '@fogbow/plugin-sdk'
import { createFakeHost } from '@fogbow/plugin-sdk/testing'
import { defaultLimits, startSandbox } from '@fogbow/sandbox'
import { hostMethods } from '../../conformance/host-methods.ts'
import type { Rule } from '../rule.ts'
import { type Subject, toObject } from '../subject.ts'

/** Modules of Node that a sandbox has nothing to offer in place of. */
const unavailable = [
  ...['fs', 'fs/promises', 'child_process', 'worker_threads', 'cluster', 'dgram', 'dns', 'http2'],
  ...['inspector', 'module', 'readline', 'repl', 'sqlite', 'test', 'tty', 'v8', 'vm', 'wasi'],
]
const imported = new RegExp(
  `(?:from\\s*|import\\s*\\(?\\s*|require\\s*\\(\\s*)(['"])(?:node:)?(${unavailable.join('|')})\\1`,
  'g',
)
const source = /\.[cm]?[jt]s$/
const madeCode = / is not allowed in a plugin; /
const LONGEST_BUNDLE_BYTES = 4 * 1024 * 1024

/** The bundle, or why there is none. */
async function outcomeOf(subject: Subject): Promise<{ hash: string; bytes: number } | string> {
  try {
    const { bundle } = await subject.build()
    return { hash: bundle.hash, bytes: bundle.code.length }
  } catch (error) {
    return asFogbowError(error).message
  }
}

/** With what the plugin can be created; a text says why it cannot be known. */
async function settingsOf(subject: Subject): Promise<Record<string, unknown> | string> {
  const { config, sandbox } = await subject.conformance()
  const written = sandbox?.config ?? config ?? {}
  if (!('config' in subject.manifest)) return written
  const completed = await subject.complete(toObject(subject.manifest.config), written)
  if ('settings' in completed) return completed.settings
  const problem = 'schemaProblem' in completed ? completed.schemaProblem : completed.settingsProblem
  return `fogbow.conformance.json: config.${problem.key} ${problem.message}`
}

/** @throws what the plugin threw, or which method it lacks */
async function startOnce(subject: Subject, config: Record<string, unknown>): Promise<void> {
  const { bundle, plugin } = await subject.build()
  const { secrets = {} } = await subject.conformance()
  const asked = plugin.manifest.capabilities?.secrets ?? []
  const given = Object.fromEntries(asked.map((name) => [name, secrets[name] ?? 'for tests only']))
  const sandbox = await startSandbox({
    name: plugin.name,
    bundle,
    config,
    kinds: plugin.manifest.kinds,
    limits: defaultLimits,
    host: hostMethods(createFakeHost({ config, secrets: given }), false),
    onLog() {},
  })
  await sandbox.stop()
}

export const bundleRules: readonly Rule[] = [
  {
    name: 'no-made-code',
    severity: 'error',
    looksAt: 'bundle',
    vital: true,
    reason: 'Code that is made at run time is code that nobody could look at',
    remedy: 'Do without eval, Function, and import() of a name that is not constant',
    async check(subject) {
      const outcome = await outcomeOf(subject)
      return typeof outcome === 'string' && madeCode.test(outcome) ? [outcome] : []
    },
  },
  {
    name: 'bundle-builds',
    severity: 'error',
    looksAt: 'bundle',
    vital: true,
    reason: 'A site bundles it at installation, in the same way, and refuses it if that fails',
    remedy: 'Correct what is named; dependencies must be declared, and installed beside it',
    async check(subject) {
      const outcome = await outcomeOf(subject)
      return typeof outcome === 'string' && !madeCode.test(outcome) ? [outcome] : []
    },
  },
  {
    name: 'no-node-builtins',
    severity: 'error',
    looksAt: 'package',
    reason: 'A plugin has no files, processes or sockets: these modules throw when they are used',
    remedy: 'Use what `host` gives: fetch, connect, storage, secrets',
    check: ({ files, text }) =>
      [...files.keys()]
        .filter((path) => source.test(path) && !/(^|\/)node_modules\/|\.test\./.test(path))
        .flatMap((path) =>
          [...(text(path) ?? '').matchAll(imported)].map(
            ([, , name]) => `${path} imports '${name}'`,
          ),
        ),
  },
  {
    name: 'bundle-size',
    severity: 'warning',
    looksAt: 'bundle',
    reason: 'A large bundle takes long to start, and memory in each sandbox',
    remedy: 'Import single modules of large dependencies',
    async check(subject) {
      const outcome = await outcomeOf(subject)
      if (typeof outcome === 'string') return { skip: 'it has no bundle' }
      const { bytes } = outcome
      return bytes > LONGEST_BUNDLE_BYTES ? [`its bundle has ${bytes} bytes`] : []
    },
  },
  {
    name: 'bundle-deterministic',
    severity: 'error',
    looksAt: 'bundle',
    reason: 'What was tested must be what is published, and the same at every site',
    remedy: 'Pack every file that is imported, or leave none out that changes what is found',
    async check(subject) {
      const outcome = await outcomeOf(subject)
      const whole = await subject.buildOfFolder().catch(() => undefined)
      if (typeof outcome === 'string') return { skip: 'it has no bundle' }
      if (!whole) return { skip: 'only a folder has files that are not packed' }
      return outcome.hash === whole.bundle.hash
        ? []
        : [`the bundle of what is packed is ${outcome.hash}, of the folder ${whole.bundle.hash}`]
    },
  },
  {
    name: 'offers-its-kinds',
    severity: 'error',
    looksAt: 'sandbox',
    reason: 'A site starts only a plugin that has every required method of the kinds it names',
    remedy: 'Return a part with these methods from create(), or take the kind out of fogbow.kinds',
    async check(subject) {
      const settings = await settingsOf(subject)
      if (typeof settings === 'string') return { skip: settings }
      try {
        await startOnce(subject, settings)
        return []
      } catch (error) {
        return [asFogbowError(error).message]
      }
    },
  },
]
