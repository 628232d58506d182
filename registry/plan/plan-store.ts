import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, FogbowError } from '@fogbow/plugin-sdk'
import { replaceFile } from '../installed/durable-file.ts'
import type { Plan } from '../marketplace.ts'
import { canonicalJson } from '../trust/canonical-json.ts'

/** Plans that wait, one file each, named by the hash of what it says. */
export interface PlanStore {
  put(plan: Omit<Plan, 'id'>): Promise<Plan>
  /** Those that have not expired, newest first; a file that is not what its name says is none. */
  list(): Promise<Plan[]>
  /** @throws not_found when there is none, or it has expired; configuration_error when the file was changed */
  find(id: string): Promise<Plan>
  discard(id: string): Promise<void>
  dropExpired(): Promise<void>
}

const DAY_MS = 86_400_000
const PLAN_FILE = /^([0-9a-f]{64})\.json$/

export function createPlanStore(
  folder: string,
  days: number,
  clock: Pick<Clock, 'now'>,
): PlanStore {
  const fileOf = (id: string) => join(folder, `${id}.json`)
  const isWaiting = ({ createdAt }: Plan) => Date.parse(createdAt) + days * DAY_MS > clock.now()

  /** @returns undefined when there is no such plan, `damaged` when the file says something else than its name */
  async function read(id: string): Promise<Plan | 'damaged' | undefined> {
    const text = await readFile(fileOf(id), 'utf8').catch(() => undefined)
    return text === undefined ? undefined : parsePlan(text, id)
  }

  async function ids(): Promise<string[]> {
    const names = await readdir(folder).catch(() => [])
    return names.flatMap((name) => PLAN_FILE.exec(name)?.[1] ?? [])
  }

  async function all(): Promise<{ id: string; plan: Plan | 'damaged' | undefined }[]> {
    return Promise.all((await ids()).map(async (id) => ({ id, plan: await read(id) })))
  }

  return {
    async put(content) {
      const plan: Plan = { id: idOf(content), ...content }
      await mkdir(folder, { recursive: true })
      await replaceFile(fileOf(plan.id), `${JSON.stringify(plan, undefined, 2)}\n`)
      return plan
    },
    async list() {
      const plans = (await all()).flatMap(({ plan }) => (isPlan(plan) ? [plan] : []))
      return plans.filter(isWaiting).sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
    },
    async find(id) {
      const plan = PLAN_FILE.test(`${id}.json`) ? await read(id) : undefined
      if (plan === 'damaged') throw damagedPlan(fileOf(id))
      if (plan && isWaiting(plan)) return plan
      const problem = plan ? `is older than ${days} days` : 'does not exist'
      throw new FogbowError('not_found', `Plan '${id.slice(0, 64)}' ${problem}; plan again`)
    },
    async discard(id) {
      if (PLAN_FILE.test(`${id}.json`)) await rm(fileOf(id), { force: true })
    },
    async dropExpired() {
      const gone = (await all()).filter(({ plan }) => !isPlan(plan) || !isWaiting(plan))
      for (const { id } of gone) await rm(fileOf(id), { force: true })
    },
  }
}

function idOf(content: Omit<Plan, 'id'>): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex')
}

function parsePlan(text: string, id: string): Plan | 'damaged' {
  try {
    const { id: _, ...content } = JSON.parse(text) as Plan
    return idOf(content) === id ? { id, ...content } : 'damaged'
  } catch {
    return 'damaged'
  }
}

function isPlan(plan: Plan | 'damaged' | undefined): plan is Plan {
  return typeof plan === 'object'
}

function damagedPlan(path: string): FogbowError {
  const message = `${path} was changed after the plan was made; discard it and plan again`
  return new FogbowError('configuration_error', message)
}
