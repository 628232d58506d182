import { setTimeout as pause } from 'node:timers/promises'
import type { Books } from './books.ts'
import { type Chance, createChance, pick } from './chance.ts'
import { watchClouds } from './cloud-watch.ts'
import type { FederatedSite } from './federated-site.ts'
import type { Federation } from './federation-sites.ts'
import { closeBooks } from './settle.ts'
import { sendUsers, type Users } from './users.ts'

export interface KillRunOptions {
  /** Of sites, at least; those of XMPP servers come on top. */
  readonly kills: number
  /** Longest time in peace before somebody is killed, ms. */
  readonly longestPeaceMs: number
  readonly usersPerSite: number
  readonly seed: number
}

export interface KillRunResult {
  readonly kills: number
  /** Of these, before the site was ready. */
  readonly killedAtStart: number
  readonly serversKilled: number
  readonly orders: number
  readonly deleted: number
  readonly rules: number
  readonly answers: string
  /** Every broken promise in words; empty when all were kept. */
  readonly problems: string[]
}

/** Kills sites and servers over and over while they trade, and then compares the books of all with the clouds. */
export async function killRun(
  federation: Federation,
  { kills, longestPeaceMs, usersPerSite, seed }: KillRunOptions,
): Promise<KillRunResult> {
  const { sites } = federation
  const chance = createChance(seed)
  const users = sendUsers(sites, usersPerSite, (n) => createChance(seed + 1 + n))
  const watch = watchClouds(users.mayGo)
  const count = { kills: 0, killedAtStart: 0, serversKilled: 0 }

  async function kill(site: FederatedSite): Promise<void> {
    count.kills += 1
    await site.kill()
    watch.look(site)
    site.launch()
    if (chance() >= 0.25) return
    await pause(chance() * 800)
    count.kills += 1
    count.killedAtStart += 1
    await site.kill()
    watch.look(site)
    site.launch()
  }

  async function killServer({ server }: FederatedSite): Promise<void> {
    count.serversKilled += 1
    await server.kill()
    await pause(chance() * 500)
    await server.start()
  }

  while (count.kills < kills) {
    await pause(chance() * longestPeaceMs)
    const [server, ...victims] = draw(sites, chance)
    await Promise.all([...victims.map(kill), ...(server ? [killServer(server)] : [])])
    // Often the next round finds them while they start, or while they take up what was left.
    if (chance() < 0.7) await Promise.all(sites.map((site) => site.ready()))
  }

  await Promise.all(sites.map((site) => site.ready()))
  await federation.isWhole()
  await users.stop()
  await users.finish()
  const { books, problems } = await closeBooks(sites)
  sites.forEach(watch.look)
  return {
    ...count,
    orders: users.wishes.length,
    deleted: users.wishes.filter(({ isDeletionAsked }) => isDeletionAsked).length,
    rules: users.wishes.reduce((sum, { rules }) => sum + rules.length, 0),
    answers: [...users.answers].map(([answer, times]) => `${times} × ${answer}`).join(', '),
    problems: [...problems, ...users.problems, ...watch.problems, ...unlikeWished(users, books)],
  }
}

/** A server, or none, and then the sites: the one that asks, the one that provides, both, or all. */
function draw(
  sites: readonly FederatedSite[],
  chance: Chance,
): [FederatedSite | undefined, ...FederatedSite[]] {
  const drawn = chance()
  const first = pick(sites, chance)
  const second = pick(
    sites.filter((site) => site !== first),
    chance,
  )
  if (drawn < 0.1) return [first, second]
  if (drawn < 0.15) return [first, first]
  if (drawn < 0.45) return [undefined, first, second]
  return [undefined, first]
}

/** What users asked for is exactly what there is. */
function unlikeWished({ wishes }: Pick<Users, 'wishes'>, all: readonly Books[]): string[] {
  const books = new Map(all.map((each) => [each.siteId, each]))
  const problems: string[] = []
  const wished = new Set(wishes.map(({ id }) => id))
  if (wished.size !== wishes.length) problems.push('two wishes became one order')
  for (const { siteId, orders } of books.values())
    for (const { id } of orders.values())
      if (!wished.has(id)) problems.push(`duplicate: nobody asked for order ${id} at ${siteId}`)
  for (const { id = '', provider, home, isDeletionAsked, rules } of wishes) {
    const at = books.get(provider)
    const instanceId = at?.instances.get(id)
    const state = books.get(home.id)?.orders.get(id)?.state
    if (isDeletionAsked) {
      if (state !== 'CLOSED') problems.push(`order ${id} was to be deleted and is ${state}`)
      continue
    }
    if (state !== 'FULFILLED') problems.push(`order ${id} was to be kept and is ${state}`)
    const ports = at?.rules.filter(({ parentId }) => parentId === instanceId) ?? []
    const expected = rules.filter((rule) => !rule.isDeletionAsked).map(({ port }) => port)
    const found = ports.map(({ port }) => port)
    if (String(found.sort()) !== String(expected.sort()))
      problems.push(`order ${id} has the rules ${found}, its user wanted ${expected}`)
  }
  return problems
}
