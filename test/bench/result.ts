/** One figure, with the bar that it has to clear. */
export interface BenchResult {
  name: string
  value: number
  unit: 'ratio' | 'ms' | 'MiB' | '%' | 'count'
  /** In words, such as `≤ 1.1`. */
  bar: string
  ok: boolean
  /** What the figure was made of. */
  details: Record<string, number>
}

export type Bench = () => Promise<BenchResult[]>

export function atMost(
  name: string,
  value: number,
  limit: number,
  unit: BenchResult['unit'],
  details: Record<string, number> = {},
): BenchResult {
  return { name, value, unit, bar: `≤ ${limit}`, ok: value <= limit, details }
}

export function atLeast(
  name: string,
  value: number,
  limit: number,
  unit: BenchResult['unit'],
  details: Record<string, number> = {},
): BenchResult {
  return { name, value, unit, bar: `≥ ${limit}`, ok: value >= limit, details }
}

/** Printed, and compared with nothing. */
export function told(
  name: string,
  value: number,
  unit: BenchResult['unit'],
  details: Record<string, number> = {},
): BenchResult {
  return { name, value, unit, bar: 'none', ok: true, details }
}

/** @param share - 0.5 for the median */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const median = (values: readonly number[]) => percentile(values, 0.5)
