import type { Clock } from '../xmpp/index.ts'

/** Pause before the next attempt: doubles up to a limit; half of it is chance, so that what failed together comes apart. */
export function backOffMs(
  clock: Clock,
  attempts: number,
  firstMs: number,
  longestMs: number,
): number {
  const full = Math.min(longestMs, firstMs * 2 ** Math.min(attempts, 30))
  return Math.round(full * (0.5 + clock.random() / 2))
}
