import type { Clock } from '../xmpp/index.ts'

/** Longest pause that a timer takes; what may last longer is not worth one. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Runs with a signal that aborts at the deadline, or when the site stops. */
export async function withDeadline<Result>(
  clock: Clock,
  deadline: number,
  stop: AbortSignal,
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  const abort = () => controller.abort()
  const cancel = clock.after(Math.min(deadline - clock.now(), LONGEST_TIMER_MS), abort)
  stop.addEventListener('abort', abort, { once: true })
  try {
    return await run(controller.signal)
  } finally {
    cancel()
    stop.removeEventListener('abort', abort)
  }
}
