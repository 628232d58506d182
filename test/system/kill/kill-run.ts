import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Client } from '../support/client.ts'
import { SiteProcess, siteConfig } from '../support/site-process.ts'

export interface KillRunOptions {
  kills: number
  /** Longest time between a start and the kill, ms. */
  longestLifeMs: number
  seed: number
}

export interface KillRunResult {
  kills: number
  acknowledged: number
  deleted: number
  /** Every broken promise in words; empty when all were kept. */
  problems: string[]
}

interface Wish {
  path: string
  body: unknown
  key: string
  id?: string
  isDeletionAcknowledged?: boolean
  isDeletionAsked?: boolean
}

const USERS_AT_ONCE = 6
const unlimited = {
  instances: -1,
  vCPU: -1,
  ram: -1,
  storage: -1,
  volumes: -1,
  networks: -1,
  publicIps: -1,
}
/** A cloud whose calls take time and sometimes lose their answers, so that a kill meets every kind of moment. */
const emulated = {
  quota: unlimited,
  delaysMs: { create: 30, delete: 20, call: 2 },
  failureRates: {
    requestInstance: { unavailableBefore: 0.05, unavailableAfter: 0.05 },
    deleteInstance: { unavailableAfter: 0.05 },
  },
}
const orders = {
  settleMs: 200,
  firstRetryMs: 50,
  longestRetryMs: 500,
  firstCheckMs: 20,
  longestCheckMs: 200,
}

/** Kills a busy site over and over, and then counts what became of every order. */
export async function killRun(options: KillRunOptions): Promise<KillRunResult> {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-kill-'))
  const chance = createChance(options.seed)
  const wishes: Wish[] = []
  const config = siteConfig({ emulated, site: { orders } })
  try {
    let token: string | undefined
    for (let kill = 0; kill < options.kills; kill += 1) {
      const site = await SiteProcess.start({ folder, config })
      const client = site.client()
      token ??= await client.login('admin', 'correct-horse-battery')
      client.token = token
      const users = Array.from({ length: USERS_AT_ONCE }, () => useSite(client, wishes, chance))
      await new Promise((resolve) => setTimeout(resolve, chance() * options.longestLifeMs))
      await site.kill()
      await Promise.all(users)
    }
    return await judge(folder, config, token ?? '', wishes, options.kills)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** One user who orders and deletes until the site is gone. */
async function useSite(client: Client, wishes: Wish[], chance: () => number): Promise<void> {
  try {
    for (;;) {
      const unsure = wishes.find((wish) => wish.id === undefined)
      const known = wishes.filter((wish) => wish.id && !wish.isDeletionAsked)
      if (unsure && chance() < 0.3) await order(client, unsure)
      else if (known.length > 3 && chance() < 0.4) await remove(client, pick(known, chance))
      else {
        const wish = { ...newWish(chance), key: randomUUID() }
        wishes.push(wish)
        await order(client, wish)
      }
    }
  } catch {
    // The site was killed under the request: whether it was done is for the next life to find out.
  }
}

function newWish(chance: () => number): Pick<Wish, 'path' | 'body'> {
  const kinds = [
    { path: '/ras/computes', body: { imageId: 'tiny', vCPU: 1, ram: 512 } },
    { path: '/ras/volumes', body: { size: 1 } },
    { path: '/ras/networks', body: { cidr: '10.9.0.0/24' } },
  ]
  return pick(kinds, chance)
}

async function order(client: Client, wish: Wish): Promise<void> {
  const answer = await client.post(wish.path, wish.body, {
    headers: { 'Idempotency-Key': wish.key },
  })
  if (answer.status !== 201)
    throw new Error(`order refused: ${answer.status} ${JSON.stringify(answer.body)}`)
  wish.id = (answer.body as { id: string }).id
}

async function remove(client: Client, wish: Wish): Promise<void> {
  wish.isDeletionAsked = true
  const answer = await client.delete(`${wish.path}/${wish.id}`)
  // 406 and 404: an earlier attempt, whose answer was lost, took effect.
  wish.isDeletionAcknowledged = [200, 404, 406].includes(answer.status)
}

async function judge(
  folder: string,
  config: string,
  token: string,
  wishes: Wish[],
  kills: number,
): Promise<KillRunResult> {
  const problems: string[] = []
  const site = await SiteProcess.start({ folder, config })
  const client = site.client()
  client.token = token
  for (const wish of wishes) if (!wish.id) await order(client, wish)
  for (const wish of wishes) {
    if (wish.isDeletionAsked && !wish.isDeletionAcknowledged) await remove(client, wish)
    const path = `${wish.path}/${wish.id}`
    if (wish.isDeletionAcknowledged)
      await client
        .until(path, 'GONE')
        .catch((error) => problems.push(`not deleted: ${error.message}`))
    else
      await client
        .until(path, 'READY')
        .catch((error) => problems.push(`not fulfilled: ${error.message}`))
  }
  const code = await site.end()
  if (code !== 0) problems.push(`the last stop ended with ${code}`)
  problems.push(...compareWithCloud(join(folder, 'data', 'site.db'), wishes))
  return {
    kills,
    acknowledged: wishes.length,
    deleted: wishes.filter((wish) => wish.isDeletionAcknowledged).length,
    problems,
  }
}

/** What the cloud holds must be exactly what live orders own. */
function compareWithCloud(file: string, wishes: readonly Wish[]): string[] {
  if (!existsSync(file)) return [`there is no store at ${file}`]
  const database = new DatabaseSync(file, { readOnly: true })
  const owned = new Map<string, string | null>()
  for (const row of database
    .prepare(`SELECT id, instance_id FROM orders WHERE state <> 'CLOSED'`)
    .all()) {
    owned.set(String(row.id), row.instance_id as string | null)
  }
  const held = new Map<string, string>()
  for (const row of database
    .prepare(`SELECT value FROM plugin_storage WHERE key LIKE 'instance/%'`)
    .all()) {
    const record = JSON.parse(String(row.value)) as {
      orderId: string
      instanceId: string
      goneAt?: number
    }
    if (record.goneAt === undefined) held.set(record.orderId, record.instanceId)
  }
  const twins = database
    .prepare(`SELECT COUNT(*) AS rows, COUNT(DISTINCT id) AS ids FROM orders`)
    .get()
  database.close()
  const problems: string[] = []
  if (twins?.rows !== wishes.length)
    problems.push(`${wishes.length} orders were acknowledged, ${twins?.rows} are stored`)
  for (const [id, instanceId] of held) {
    if (!owned.has(id)) problems.push(`orphan: instance ${instanceId} of order ${id}`)
    else if (owned.get(id) !== instanceId)
      problems.push(`order ${id} knows instance ${owned.get(id)}, the cloud has ${instanceId}`)
  }
  for (const id of owned.keys())
    if (!held.has(id)) problems.push(`order ${id} has no instance in the cloud`)
  return problems
}

function pick<Item>(items: readonly Item[], chance: () => number): Item {
  return items[Math.floor(chance() * items.length)] as Item
}

/** The same sequence for the same seed, so that a failure can be looked at again. */
function createChance(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state = Math.imul(state, 1664525) + 1013904223
    return (state >>> 0) / 2 ** 32
  }
}
