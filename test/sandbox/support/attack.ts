import { Worker } from 'node:worker_threads'
import type { PluginLogLine, SandboxSpec } from '@fogbow/sandbox'
import { bodySpec, runBody, withPlugin } from './hostile-plugin.ts'
import type { Prey } from './prey.ts'
import type { Tier } from './tiers.ts'

/** One way to try to reach out. */
export interface Attack {
  /** Completes 'nothing is reached by …'. */
  by: string
  /** Code of a function; what it answers is searched for what it must not know. */
  code: string
  /** Code at the top of the bundle. */
  before?: string
  /** It works in a thread without walls, so a test of it there shows that the observers see it. */
  open?: true
  /** Such code is not even loaded. */
  refused?: true
}

export interface AttackOutcome {
  /** The code of the attack ran at all. */
  ran: boolean
  /** What it reached, in words. */
  effects: string[]
}

const beginning = 'the attack begins'

/** What comes of an attack in a plugin. */
export async function outcomeOf(
  tier: Tier,
  prey: Prey,
  attack: Attack,
  changes: Partial<SandboxSpec> = {},
): Promise<AttackOutcome> {
  const heard: unknown[] = []
  const before = `${prey.tools}\n${attack.before ?? ''}`
  const spec = bodySpec(
    `host.log.info('${beginning}');\n${attack.code}`,
    { onLog: (line) => heard.push(line), ...changes },
    before,
  )
  try {
    await withPlugin(tier, spec, async (sandbox) => {
      heard.push(await runBody(sandbox))
      // Some strike only when they are called again.
      heard.push(await runBody(sandbox).catch((error) => error))
    })
  } catch (error) {
    heard.push(error)
  }
  const ran = heard.some((one) => (one as PluginLogLine | undefined)?.message === beginning)
  return { ran, effects: await prey.effects(heard) }
}

/** What the same code reaches in a thread of this process without any wall. */
export async function openEffectsOf(prey: Prey, attack: Attack): Promise<string[]> {
  const source = `
    const { parentPort } = require('node:worker_threads')
    const host = { log: { info() {} }, storage: { async set() {}, async get() {} }, config: {}, signal: new AbortController().signal, clock: {} }
    const call = { signal: host.signal, deadline: 0 }
    const user = { id: 'u-1', roles: [] }
    const main = async () => {
      ${prey.tools}
      ${attack.before ?? ''}
      const run = async () => { ${attack.code} }
      return JSON.stringify(await run())
    }
    main().catch((error) => String(error)).then((text) => parentPort.postMessage(text))`
  const worker = new Worker(source, { eval: true, stdout: true, stderr: true })
  worker.stdout.resume()
  worker.stderr.resume()
  try {
    const heard = await new Promise((resolve) => {
      worker.on('message', resolve)
      worker.on('error', resolve)
    })
    return await prey.effects(heard)
  } finally {
    await worker.terminate()
  }
}
