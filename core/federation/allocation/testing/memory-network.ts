import { type ErrorRecord, FogbowError, fromErrorRecord, toErrorRecord } from '@fogbow/plugin-sdk'
import { validatorFor } from '@fogbow/plugin-sdk/validate'
import type { EngineClock } from '../../../orders/index.ts'
import type {
  CallSettings,
  Federation,
  MemberId,
  MemberView,
  RemoteCall,
  RemoteMethod,
} from '../../contract.ts'
import { allocationMethods } from '../methods.ts'
import type { Way } from './site-bench.ts'

export type Road =
  /** Everything arrives. */
  | 'open'
  /** Nothing arrives. */
  | 'cut'
  /** What is asked arrives and is done; the answer is lost. */
  | 'one way'
  /** What is asked arrives twice. */
  | 'echo'
  /** What is asked arrives when nobody waits for the answer any more. */
  | 'late'
  /** Every other thing that is asked arrives late, so that it is overtaken. */
  | 'jumbled'

interface Command {
  id: string
  member: MemberId
  method: RemoteMethod
  params: string
  settings: CallSettings
  expiresAt: number
  isSent: boolean
  outcome?: Outcome
}

type Outcome = { result: unknown } | { error: ErrorRecord }

const RESEND_MS = 15_000
const LATE_MS = 60_000
const LIFETIME_MS = 900_000
const expired: { error: ErrorRecord } = {
  error: {
    code: 'unacceptable_operation',
    message: 'it could not begin in time; nothing was done',
    details: { expired: true },
  },
}

/**
 * Members that reach each other inside one process, with every fault of a real way between them. What a real site keeps in
 * its store, commands and their outcomes, is kept here and outlives the sites.
 */
export class MemoryNetwork implements Way {
  readonly clock: EngineClock
  readonly roads = new Map<string, Road>()
  /** Calls that were carried out, by site and method. */
  readonly done: string[] = []
  /** All that was asked and answered, as text. */
  readonly said: string[] = []
  readonly #members = new Map<MemberId, Membership>()
  #asked = 0
  /** Counts everything that happens, so that a test can tell whether something still does. */
  events = 0
  /** Work under way at the sites. */
  busy = 0

  constructor(clock: EngineClock) {
    this.clock = clock
  }

  /** A site of that id starts, or starts again. */
  join(id: MemberId): Federation {
    this.leave(id)
    const before = this.#members.get(id)
    const member: Membership = before ?? {
      ...newLife(),
      outbox: new Map(),
      inbox: new Map(),
      begun: new Set(),
      life: 0,
    }
    Object.assign(member, newLife())
    this.#members.set(id, member)
    return createMembership(this, id, member, this.#members)
  }

  /** The site dies: whoever waits for an answer of it learns nothing. */
  leave(id: MemberId): void {
    const member = this.#members.get(id)
    if (!member) return
    member.life += 1
    delete member.handler
    member.death.reject(new FogbowError('unavailable_provider', `${id} died`))
  }

  /** Asks others as that site does, for tests of what it must not get. */
  callerOf(id: MemberId): Pick<Federation, 'call'> {
    const member = this.#members.get(id)
    if (!member) throw new Error(`no site ${id}`)
    return createMembership(this, id, member, this.#members)
  }

  road(from: MemberId, to: MemberId): Road {
    const road = this.roads.get(`${from} ${to}`) ?? 'open'
    if (road !== 'jumbled') return road
    this.#asked += 1
    return this.#asked % 2 === 1 ? 'late' : 'open'
  }
}

interface Membership {
  life: number
  handler?: (call: RemoteCall) => Promise<unknown>
  /** By key: what was asked, and what came of it. */
  outbox: Map<string, Command>
  /** By asking site and id. */
  inbox: Map<string, Outcome>
  begun: Set<string>
  /** Rejects when the site dies. */
  death: PromiseWithResolvers<never>
}

function newLife(): Pick<Membership, 'death'> {
  const death = Promise.withResolvers<never>()
  death.promise.catch(() => {})
  return { death }
}

const methods = new Map(allocationMethods.map((method) => [method.name, method]))
let ids = 0

function createMembership(
  network: MemoryNetwork,
  self: MemberId,
  own: Membership,
  all: Map<MemberId, Membership>,
): Federation {
  const { life } = own
  const lost = () => new FogbowError('unavailable_provider', `no answer for ${self}`)
  const isOver = () => own.life !== life
  const never = new Promise<never>(() => {})

  async function attempt(command: Command): Promise<unknown> {
    network.events += 1
    const road = network.road(self, command.member)
    const isOld = network.clock.now() > command.expiresAt
    if (isOld && !command.isSent) return forget(command)
    if (road === 'cut') throw lost()
    command.isSent = true
    if (road === 'late') {
      network.clock.after(LATE_MS, () => void arrive(command).catch(() => {}))
      throw lost()
    }
    if (road === 'echo') void arrive(command).catch(() => {})
    const outcome = await arrive(command)
    if (road === 'one way' || network.road(command.member, self) === 'cut') throw lost()
    if (isOver()) return never
    if (outcome === expired) return forget(command)
    if ('result' in outcome) {
      check(command.method.result, outcome.result)
      command.outcome = outcome
      return outcome.result
    }
    const error = fromErrorRecord(outcome.error)
    if (error.outcome === 'refused') command.outcome = outcome
    throw error
  }

  /** It may be asked for anew. */
  function forget(command: Command): never {
    for (const [key, other] of own.outbox) if (other === command) own.outbox.delete(key)
    command.outcome = expired
    throw fromErrorRecord(expired.error)
  }

  /** At the other side. */
  async function arrive(command: Command): Promise<Outcome> {
    const there = all.get(command.member)
    const key = `${self} ${command.id}`
    const known = there?.inbox.get(key)
    if (known) return known
    if (!there?.handler) throw lost()
    if (network.clock.now() > command.expiresAt && !there.begun.has(key)) return expired
    there.begun.add(key)
    const outcome = await Promise.race([carryOut(there, command), there.death.promise])
    const isFinal = 'result' in outcome || fromErrorRecord(outcome.error).outcome === 'refused'
    if (isFinal && command.method.effect === 'command') there.inbox.set(key, outcome)
    return outcome
  }

  async function carryOut(there: Membership, command: Command): Promise<Outcome> {
    const { handler, life: begun } = there
    network.done.push(`${command.member} ${command.method.name}`)
    const settled = await run(handler as NonNullable<typeof handler>, command)
    network.events += 1
    return there.life === begun ? settled : never
  }

  async function run(
    handler: (call: RemoteCall) => Promise<unknown>,
    { id, method, params, settings }: Command,
  ): Promise<Outcome> {
    try {
      network.said.push(JSON.stringify([params, settings.user ?? null]))
      const result = await handler({
        member: self,
        method,
        params: JSON.parse(params),
        id,
        deadline: network.clock.now() + method.timeoutMs,
        signal: new AbortController().signal,
        ...(settings.user && { user: JSON.parse(JSON.stringify(settings.user)) }),
      })
      if (result === undefined) return { result }
      const text = JSON.stringify(result)
      network.said.push(text)
      return { result: JSON.parse(text) }
    } catch (error) {
      return { error: toErrorRecord(error) }
    }
  }

  /** Until it is answered, whether somebody waits or not. */
  function resend(command: Command): void {
    network.clock.after(RESEND_MS, () => {
      if (isOver() || command.outcome) return
      attempt(command).catch(() => resend(command))
    })
  }

  async function send(command: Command): Promise<unknown> {
    try {
      return await attempt(command)
    } catch (error) {
      if (isOver()) return never
      throw error
    }
  }

  return {
    async call(member, name, params, settings = {}) {
      if (isOver()) return never
      const method = methods.get(name)
      if (!method) throw new Error(`no method ${name}`)
      check(method.params, params)
      const key = `${member} ${settings.key ?? `once ${ids}`}`
      const text = JSON.stringify(params)
      ids += 1
      const fresh: Command = {
        ...{ id: `c${ids}`, member, method, params: text, settings },
        expiresAt: network.clock.now() + LIFETIME_MS,
        isSent: false,
      }
      if (method.effect === 'read') return send(fresh)
      const known = own.outbox.get(key)
      if (known && (known.params !== text || known.method !== method))
        throw new Error(`${key} stands for another request`)
      const command: Command = known ?? fresh
      own.outbox.set(key, command)
      if (command.outcome && 'result' in command.outcome) return command.outcome.result
      if (command.outcome) throw fromErrorRecord(command.outcome.error)
      if (!known) resend(command)
      return send(command)
    },
    serve(handler) {
      own.handler = handler
    },
    members: () => [...all.keys()].map((id) => toView(id, id === self)),
    async start() {
      for (const command of own.outbox.values()) if (!command.outcome) resend(command)
    },
    async stop() {
      network.leave(self)
    },
  }
}

function toView(id: MemberId, local: boolean): MemberView {
  return { id, local, dialect: 'own', liveness: 'alive' }
}

/** As both sides of a real federation do. */
function check(schema: RemoteMethod['result'], value: unknown): void {
  const problem = schema && validatorFor(schema)(value)
  if (problem) throw new Error(`${problem.field} ${problem.message}: ${JSON.stringify(value)}`)
}
