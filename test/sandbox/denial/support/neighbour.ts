import { defaultLimits, type Launcher, type Sandbox, startSandbox } from '@fogbow/sandbox'
import { bodySpec } from '../../support/hostile-plugin.ts'

/** What became of calls to a plugin that does no harm. */
export interface NeighbourAnswers {
  answered: number
  failed: number
  slowestMs: number
}

export interface Neighbour {
  /** One call after the other. */
  call(times: number): Promise<NeighbourAnswers>
  /** A call every 20 ms, until `stop`. */
  callAllTheTime(): { stop(): NeighbourAnswers }
}

export async function startNeighbour(launcher: Launcher): Promise<Neighbour> {
  const spec = bodySpec('return 1', { name: 'neighbour', limits: defaultLimits })
  const sandbox = await startSandbox(spec, { launcher })
  const none = (): NeighbourAnswers => ({ answered: 0, failed: 0, slowestMs: 0 })

  async function callOnce(answers: NeighbourAnswers): Promise<void> {
    const startedAt = performance.now()
    const answer = await askBody(sandbox).catch(() => undefined)
    if (answer === 1) answers.answered++
    else answers.failed++
    answers.slowestMs = Math.max(answers.slowestMs, Math.round(performance.now() - startedAt))
  }

  async function call(times: number): Promise<NeighbourAnswers> {
    const answers = none()
    for (let n = 0; n < times; n++) await callOnce(answers)
    return answers
  }

  await call(20)
  return {
    call,
    callAllTheTime() {
      const answers = none()
      const timer = setInterval(() => void callOnce(answers), 20)
      return {
        stop() {
          clearInterval(timer)
          return answers
        },
      }
    },
  }
}

const user = { id: 'u-1', identityProviderId: 'here', name: 'somebody', roles: [] }

/** Runs the body of a plugin made by `bodySpec` and answers what it came to. */
export async function askBody(sandbox: Pick<Sandbox, 'call'>, timeoutMs = 4000): Promise<unknown> {
  const answer = await sandbox.call('federationToLocalMapper.getToken', [user], { timeoutMs })
  const { result } = answer as { result?: string | null }
  return typeof result === 'string' ? JSON.parse(result) : undefined
}
