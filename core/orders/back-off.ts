/**
 * Pause before the next attempt: doubles with each, up to a limit, spread by ± 20 % so that what failed together does
 * not come back together.
 */
export function backOffMs(
  attempts: number,
  firstMs: number,
  longestMs: number,
  random: () => number,
): number {
  const pause = Math.min(longestMs, firstMs * 2 ** Math.min(attempts, 30))
  return Math.round(pause * (0.8 + 0.4 * random()))
}
