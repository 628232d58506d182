import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Answer, Client } from '../../system/support/client.ts'
import { type Chance, pick } from './chance.ts'
import type { FederatedSite } from './federated-site.ts'

/** What a user wants at another site, and what was heard of it. */
export interface Wish {
  readonly home: FederatedSite
  readonly provider: string
  readonly path: string
  readonly body: object
  readonly key: string
  id?: string
  wasReady?: boolean
  isDeletionAsked?: boolean
  isDeletionAcknowledged?: boolean
  readonly rules: RuleWish[]
}

export interface RuleWish {
  readonly port: number
  readonly key: string
  id?: string
  isDeletionAsked?: boolean
  isDeletionAcknowledged?: boolean
}

/** People who order, look and delete at several sites at a time, as if nothing ever failed. */
export interface Users {
  readonly wishes: readonly Wish[]
  /** In words: answers that must not be. */
  readonly problems: readonly string[]
  /** How often each answer was given, for the curious. */
  readonly answers: ReadonlyMap<string, number>
  mayGo(orderId: string): boolean
  /** Nothing new is begun; resolves when nobody asks any more. */
  stop(): Promise<void>
  /** Whatever was left without answer is asked for again, under the same key, until it has one. */
  finish(): Promise<void>
}

const OPEN_PAUSE_MS = 30
/** Between two things that one does. */
const LONGEST_THOUGHT_MS = 120
const PATIENCE_MS = 60_000
/** What the users of one site have at a time. */
const MOST_KEPT = 40

export function sendUsers(
  sites: readonly FederatedSite[],
  usersPerSite: number,
  chanceOf: (n: number) => Chance,
): Users {
  const wishes: Wish[] = []
  const problems: string[] = []
  const answers = new Map<string, number>()
  const goes = new Set<string>()
  let stopped = false
  let ports = 1024

  async function use(home: FederatedSite, chance: Chance): Promise<void> {
    while (!stopped)
      try {
        await home.ready()
        await pause(chance() * LONGEST_THOUGHT_MS)
        await act(home, chance)
      } catch {
        // The site was killed under the request: what came of it is asked for again.
        await pause(OPEN_PAUSE_MS)
      }
  }

  async function act(home: FederatedSite, chance: Chance): Promise<void> {
    const own = wishes.filter((wish) => wish.home === home)
    const unsure = own.find((wish) => wish.id === undefined)
    const known = own.filter((wish) => wish.id && !wish.isDeletionAsked)
    const drawn = chance()
    if (unsure && drawn < 0.5) return order(unsure)
    if (known.length > 4 && drawn < 0.12) return remove(pick(known, chance))
    if (known.length > 0 && drawn < 0.5) return look(pick(known, chance))
    const networks = known.filter(({ path, wasReady }) => path === '/ras/networks' && wasReady)
    if (networks.length > 0 && drawn < 0.65) return changeRules(pick(networks, chance))
    if (known.length >= MOST_KEPT) return look(pick(own, chance))
    const wish = newWish(home, chance)
    wishes.push(wish)
    return order(wish)
  }

  function newWish(home: FederatedSite, chance: Chance): Wish {
    const others = sites.filter((site) => site !== home)
    const provider = pick(others, chance).id
    const kinds = [
      { path: '/ras/computes', body: { imageId: 'tiny', vCPU: 1, ram: 512, disk: 1 } },
      { path: '/ras/volumes', body: { size: 1 } },
      { path: '/ras/networks', body: { cidr: '10.9.0.0/24' } },
    ]
    const { path, body } = pick(kinds, chance)
    const place = { provider, cloudName: 'emulated' }
    return { home, provider, path, body: { ...place, ...body }, key: randomUUID(), rules: [] }
  }

  function note(what: string, { status }: Answer): void {
    const name = `${what} ${status}`
    answers.set(name, (answers.get(name) ?? 0) + 1)
  }

  function refuse(what: string, wish: Wish, { status, body }: Answer): void {
    problems.push(`${what} ${wish.path}/${wish.id}: ${status} ${JSON.stringify(body)}`)
  }

  async function order(wish: Wish): Promise<void> {
    const headers = { 'Idempotency-Key': wish.key }
    const answer = await wish.home.client().post(wish.path, wish.body, { headers })
    note('POST', answer)
    const { id } = answer.body as { id: string }
    if (answer.status !== 201) refuse('POST', wish, answer)
    else if (wish.id !== undefined && wish.id !== id)
      problems.push(`one key made two orders, ${wish.id} and ${id}`)
    else wish.id = id
  }

  /** Silence of a provider is no reason to call something failed or gone. */
  async function look(wish: Wish): Promise<void> {
    if (!wish.id) return
    const answer = await wish.home.client().get(`${wish.path}/${wish.id}`)
    note('GET', answer)
    const { state = '' } = answer.body as { state?: string }
    if (state === 'READY') wish.wasReady = true
    const isGone = answer.status === 404 || ['ERROR', 'FAILED', 'DELETED'].includes(state)
    if (isGone && !wish.isDeletionAsked) refuse('GET', wish, answer)
  }

  async function remove(wish: Wish): Promise<void> {
    wish.isDeletionAsked = true
    goes.add(wish.id ?? '')
    const answer = await wish.home.client().delete(`${wish.path}/${wish.id}`)
    note('DELETE', answer)
    // 406 and 404: an earlier attempt, whose answer was lost, took effect.
    if ([200, 404, 406].includes(answer.status)) wish.isDeletionAcknowledged = true
    else refuse('DELETE', wish, answer)
  }

  function changeRules(wish: Wish): Promise<void> {
    const unsure = wish.rules.find(({ id, isDeletionAcknowledged, isDeletionAsked }) =>
      isDeletionAsked ? !isDeletionAcknowledged : !id,
    )
    if (unsure) return changeRule(wish, unsure)
    const kept = wish.rules.find(({ isDeletionAsked }) => !isDeletionAsked)
    if (kept) kept.isDeletionAsked = true
    else wish.rules.push({ port: ++ports, key: randomUUID() })
    return changeRule(wish, kept ?? (wish.rules.at(-1) as RuleWish))
  }

  /** While the provider is away there is no outcome; then it is asked for again. */
  async function changeRule(wish: Wish, rule: RuleWish): Promise<void> {
    const client = wish.home.client()
    const path = `${wish.path}/${wish.id}/securityRules`
    const { id, isDeletionAsked = false } = rule
    const answer = isDeletionAsked
      ? await client.delete(`${path}/${id}`)
      : await postRule(client, path, rule)
    note(isDeletionAsked ? 'DELETE rule' : 'POST rule', answer)
    if (answer.status === 201) rule.id = (answer.body as { id: string }).id
    if (isDeletionAsked && [200, 404].includes(answer.status)) rule.isDeletionAcknowledged = true
    else if (answer.status >= 400 && answer.status < 500 && !wish.isDeletionAsked)
      refuse(`rule ${rule.port}`, wish, answer)
  }

  function postRule(client: Client, path: string, { port, key }: RuleWish): Promise<Answer> {
    const what = { direction: 'IN', protocol: 'TCP', etherType: 'IPv4', cidr: '0.0.0.0/0' }
    const headers = { 'Idempotency-Key': key }
    return client.post(path, { ...what, portFrom: port, portTo: port }, { headers })
  }

  async function until(
    giveUpAt: number,
    what: string,
    isDone: () => boolean,
    ask: () => Promise<void>,
  ): Promise<void> {
    while (!isDone()) {
      await ask()
      if (performance.now() > giveUpAt) return void problems.push(`${what} has no outcome`)
      if (!isDone()) await pause(OPEN_PAUSE_MS)
    }
  }

  async function finishRules(wish: Wish, giveUpAt: number): Promise<void> {
    for (const rule of wish.rules) {
      const what = `rule ${rule.port} of ${wish.id}`
      if (!rule.id)
        await until(
          giveUpAt,
          what,
          () => rule.id !== undefined,
          () => changeRule(wish, rule),
        )
      if (rule.isDeletionAsked)
        await until(
          giveUpAt,
          what,
          () => rule.isDeletionAcknowledged === true,
          () => changeRule(wish, rule),
        )
    }
  }

  const asking = sites.flatMap((site, s) =>
    Array.from({ length: usersPerSite }, (_, n) => use(site, chanceOf(s * usersPerSite + n))),
  )

  return {
    wishes,
    problems,
    answers,
    mayGo: (orderId) => goes.has(orderId),
    async stop() {
      stopped = true
      await Promise.all(asking)
    },
    async finish() {
      for (const wish of wishes) if (!wish.id) await order(wish)
      for (const wish of wishes)
        if (wish.isDeletionAsked && !wish.isDeletionAcknowledged) await remove(wish)
      const giveUpAt = performance.now() + PATIENCE_MS
      for (const wish of wishes) if (!wish.isDeletionAsked) await finishRules(wish, giveUpAt)
    },
  }
}
