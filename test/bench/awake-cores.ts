import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'

/**
 * Keeps every core from going to sleep while messages are measured: waking one takes as long as several messages, and
 * whether it happens is chance. What keeps it awake runs only when nobody else wants the core (SCHED_IDLE, sched(7)).
 */
export async function withAwakeCores<Result>(measure: () => Promise<Result>): Promise<Result> {
  const spinners = Array.from({ length: availableParallelism() }, spin)
  try {
    await Promise.all(spinners.map((spinner) => once(spinner, 'spawn')))
    return await measure()
  } finally {
    for (const spinner of spinners) spinner.kill('SIGKILL')
  }
}

/** It ends with its parent, however that ends: nobody else would stop it. */
function spin(): ChildProcess {
  const args = ['--pdeathsig', 'KILL', 'chrt', '--idle', '0', process.execPath, '-e', 'for (;;);']
  return spawn('setpriv', args, { stdio: 'ignore' })
}
