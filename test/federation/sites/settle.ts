import { setTimeout as pause } from 'node:timers/promises'
import { type Books, differences, readBooks, settledStates } from './books.ts'
import type { FederatedSite } from './federated-site.ts'
import { readMetrics } from './metrics.ts'

const PATIENCE_MS = 60_000

/** Waits until nothing is under way at any site. @returns what still is after long patience */
export async function untilSettled(sites: readonly FederatedSite[]): Promise<string[]> {
  const giveUpAt = performance.now() + PATIENCE_MS
  for (;;) {
    const open = (await Promise.all(sites.map(underWay))).flat()
    if (open.length === 0 || performance.now() > giveUpAt) return open
    await pause(100)
  }
}

async function underWay(site: FederatedSite): Promise<string[]> {
  const metrics = await readMetrics(site)
  const open: string[] = []
  const pending = metrics.get('fogbow_federation_pending_commands') ?? 0
  if (pending > 0) open.push(`${site.id}: the outcome of ${pending} commands is open`)
  for (const [name, count] of metrics) {
    const state = /^fogbow_orders\{.*state="(\w+)"/.exec(name)?.[1]
    if (state && count > 0 && !settledStates.has(state))
      open.push(`${site.id}: ${count} orders are ${state}`)
  }
  return open
}

/**
 * Waits until nothing is under way, stops all sites, and compares all books.
 * @returns what does not agree
 */
export async function closeBooks(
  sites: readonly FederatedSite[],
): Promise<{ problems: string[]; books: readonly Books[] }> {
  const open = await untilSettled(sites)
  await stopAtOnce(sites)
  const books = sites.map(readBooks)
  return { books, problems: [...open, ...differences(books)] }
}

/** None is to see another go, which would be news again. */
export async function stopAtOnce(sites: readonly FederatedSite[]): Promise<void> {
  for (const { process } of sites) process.process.kill('SIGSTOP')
  await Promise.all(sites.map((site) => site.kill()))
}
