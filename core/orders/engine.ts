import type { Logger } from 'pino'
import type { OrderTiming } from '../config/index.ts'
import type { Store } from '../store/index.ts'
import type { CloudConnector } from './cloud-connector.ts'
import { stopped } from './delegation.ts'
import type { EngineClock } from './engine-clock.ts'
import type { MemberConnector, OrderReport } from './member-connector.ts'
import type { Order, Place } from './order.ts'
import { applyStep, dueOrders, findOrder, nextDue, takeUpUnsettled } from './order-store.ts'
import {
  type MemberBench,
  memberProcessors,
  mirror,
  type PlaceElsewhere,
  processors,
  tellDelegation,
  type Workbench,
} from './processors/index.ts'
import { isOutdated, refusesAnywhere } from './report.ts'
import { canBeRefreshed } from './states.ts'
import type { Step } from './step.ts'

export interface Engine {
  /** Takes up what was under way when the site stopped, and keeps working until `stop`. */
  start(): Promise<void>
  /** An order has something to do now: it was made, or its state was changed by a request. */
  wake(order: Due): void
  /** Looks at an instance now, for somebody who reads it. Answers the order as it is after that. */
  refresh(order: Order): Promise<Order>
  /** What a user allows the site to do for an order is another: members are told, and it is looked at now. */
  changed(order: Order): void
  /** A member tells of an order. What it does not provide, and what is older than what is known, changes nothing. */
  observe(member: string, report: OrderReport): Promise<void>
  /** Lets what is under way finish; nothing new is begun. */
  stop(): Promise<void>
}

export interface EngineParts {
  store: Store
  connector: CloudConnector
  timing(): OrderTiming
  /** The way to other members, for the orders that they provide. Absent: every order is of this site. */
  members?: { siteId(): string; connector: MemberConnector }
  placeElsewhere?: PlaceElsewhere
  /** Orders worked on at once, by cloud. */
  concurrency(place: Place): number
  clock: EngineClock
  log: Logger
  onTransition?(before: Order, after: Order): void
  /** What the owner allows is another. */
  onDelegation?(order: Order): void
}

/** What has to be known of an order to find its lane. */
type Due = Pick<Order, 'id' | 'provider' | 'cloudName'>

/** The orders of one cloud. Clouds do not wait for each other: a slow one fills its own lane only. */
interface Lane extends Place {
  active: number
  /** Orders of this cloud may be due that found no room. */
  backlog: boolean
}

/** Due orders are looked for at most this often; what falls due meanwhile is found together. */
const GATHER_MS = 5
const LONGEST_SLEEP_MS = 3_600_000

/**
 * Works on orders when they are due and sleeps otherwise. State lives in the store alone: the engine remembers only
 * which orders it is working on, so that each is worked on once at a time.
 */
export function createEngine(parts: EngineParts): Engine {
  const { store, clock, log } = parts
  const bench: Workbench = {
    connector: parts.connector,
    get timing() {
      return parts.timing()
    },
    now: clock.now,
    random: clock.random,
    placeElsewhere: parts.placeElsewhere,
  }
  const members = parts.members
  const memberBench: MemberBench | undefined = members && {
    ...bench,
    get timing() {
      return parts.timing()
    },
    members: members.connector,
    isRead: false,
  }
  const working = new Map<string, Promise<Order | undefined>>()
  const wokenMeanwhile = new Set<string>()
  /** Of those, orders that are looked at for somebody who reads them. */
  const reading = new Set<string>()
  const lanes = new Map<string, Lane>()
  /** Who waits for news of an order. */
  const waiting = new Map<string, PromiseWithResolvers<Order>>()
  let stopping = false
  let alarm: { at: number; cancel(): void } | undefined

  function laneOf({ provider, cloudName }: Place): Lane {
    const key = `${provider} ${cloudName}`
    let lane = lanes.get(key)
    if (!lane) {
      lane = { provider, cloudName, active: 0, backlog: false }
      lanes.set(key, lane)
    }
    return lane
  }

  function isOurs(order: Order): boolean {
    return !members || order.provider === members.siteId()
  }

  async function process(order: Order): Promise<Step> {
    const untold = memberBench && !isOurs(order) && (await tellDelegation(order, memberBench))
    if (untold) return untold
    // Nobody is asked in the name of somebody who does not want it, or not any more.
    const faultMessage = stopped(order, clock.now())
    if (faultMessage !== undefined) return { faultMessage, dueInMs: null }
    const step =
      !memberBench || isOurs(order)
        ? processors[order.state]?.(order, bench)
        : memberProcessors[order.state]?.(order, benchFor(order, memberBench))
    return (await step) ?? { dueInMs: null }
  }

  function benchFor({ id }: Order, bench: MemberBench): MemberBench {
    if (!reading.has(id)) return bench
    return { ...bench, timing: bench.timing, isRead: true }
  }

  function begin(id: string, lane: Lane): Promise<Order | undefined> {
    lane.active += 1
    const work = workOn(id)
      .catch((error) => {
        const { provider, cloudName: cloud } = lane
        log.error({ err: error, order: id, provider, cloud }, 'order could not be processed')
        setAlarm(clock.now() + parts.timing().firstRetryMs)
        return undefined
      })
      .finally(() => end(id, lane))
    working.set(id, work)
    return work
  }

  function end(id: string, lane: Lane): void {
    lane.active -= 1
    working.delete(id)
    reading.delete(id)
    if (stopping) return
    if (wokenMeanwhile.delete(id)) wake({ ...lane, id })
    else if (lane.backlog) setAlarm(clock.now())
  }

  async function workOn(id: string): Promise<Order | undefined> {
    let order = await findOrder(store.db, id)
    while (order && !stopping) {
      const before: Order = order
      const step = await process(before)
      const after = await store.write((db) => applyStep(db, before, step, clock.now()))
      announce(before, after)
      order = after
      laneOf(after)
      const raced = after.version !== before.version && after.state !== step.to
      if (!raced && step.dueInMs !== 0) {
        if (step.dueInMs !== null) setAlarm(clock.now() + step.dueInMs)
        return order
      }
    }
    return order
  }

  function announce(before: Order, after: Order): void {
    if (before.state === after.state) return
    log.info(
      {
        order: after.id,
        kind: after.kind,
        provider: after.provider,
        cloud: after.cloudName,
        from: before.state,
        to: after.state,
        reason: after.faultMessage ?? undefined,
      },
      'order changed state',
    )
    parts.onTransition?.(before, after)
  }

  function wake(order: Due): void {
    if (stopping) return
    const lane = laneOf(order)
    if (working.has(order.id)) wokenMeanwhile.add(order.id)
    else if (lane.active < parts.concurrency(lane)) void begin(order.id, lane)
    else lane.backlog = true
  }

  function setAlarm(at: number): void {
    if (stopping || (alarm && alarm.at <= at)) return
    alarm?.cancel()
    const pause = Math.min(Math.max(at - clock.now(), GATHER_MS), LONGEST_SLEEP_MS)
    alarm = { at, cancel: clock.after(pause, () => void gather()) }
  }

  /** Begins work on everything that is due and finds out when to wake up next. */
  async function gather(): Promise<void> {
    alarm = undefined
    try {
      for (const lane of lanes.values()) await fill(lane)
    } catch (error) {
      log.error({ err: error }, 'due orders could not be read')
      setAlarm(clock.now() + parts.timing().firstRetryMs)
    }
  }

  async function fill(lane: Lane): Promise<void> {
    const now = clock.now()
    const room = parts.concurrency(lane) - lane.active
    // Reset before reading: an order that is woken while this reads, and finds no room, must not be forgotten.
    lane.backlog = room <= 0
    if (room > 0) {
      const limit = room + lane.active
      const due = await dueOrders(store.db, lane, now, limit)
      const idle = due.filter((id) => !working.has(id))
      for (const id of idle.slice(0, room)) void begin(id, lane)
      lane.backlog ||= idle.length > room || due.length === limit
    }
    const next = await nextDue(store.db, lane, now)
    if (next !== undefined) setAlarm(next)
  }

  async function observe(member: string, report: OrderReport): Promise<void> {
    if (stopping || !memberBench) return
    const change = await store.write(async (db) => {
      const before = await findOrder(db, report.orderId)
      if (!before || !concerns(before, member, report)) return undefined
      // The engine looks for itself, and then moves it.
      const step = refusesAnywhere(before, report)
        ? { dueInMs: 0 }
        : mirror(before, report, memberBench, clock.now())
      return { before, step, after: await applyStep(db, before, step, clock.now()) }
    })
    if (!change) return
    const { before, step, after } = change
    announce(before, after)
    laneOf(after)
    waiting.get(after.id)?.resolve(after)
    if (step.dueInMs === 0) wake(after)
    else if (step.dueInMs !== null) setAlarm(clock.now() + step.dueInMs)
  }

  /** Resolves as soon as anything new is known of an order, whether it was asked for or told. */
  async function news(order: Order): Promise<Order | undefined> {
    const told = waiting.get(order.id) ?? Promise.withResolvers<Order>()
    waiting.set(order.id, told)
    try {
      return await Promise.race([look(order), told.promise])
    } finally {
      if (waiting.get(order.id) === told) waiting.delete(order.id)
    }
  }

  /** What the engine asks another member for by itself tells less than somebody wants to see who reads the order. */
  async function look(order: Order): Promise<Order | undefined> {
    const { id } = order
    const isGoodEnough = () => isOurs(order) || reading.has(id)
    while (working.has(id) && !isGoodEnough()) await working.get(id)
    const running = working.get(id)
    if (running) return running
    reading.add(id)
    return begin(id, laneOf(order))
  }

  return {
    async start() {
      const places = await takeUpUnsettled(store, clock.now(), parts.timing().settleMs)
      for (const place of places) laneOf(place)
      await gather()
    },
    wake,
    changed(order) {
      parts.onDelegation?.(order)
      wake(order)
    },
    async refresh(order) {
      if (!canBeRefreshed(order.state) || stopping) return order
      return (await news(order)) ?? order
    },
    observe,
    async stop() {
      stopping = true
      alarm?.cancel()
      await Promise.allSettled(working.values())
    },
  }
}

/** Only its provider is believed, and only of what it was asked for and is not over. */
function concerns(order: Order, member: string, report: OrderReport): boolean {
  return (
    order.provider === member &&
    order.requestOutcome !== 'never asked' &&
    order.state !== 'CLOSED' &&
    !isOutdated(order, report)
  )
}
