import type { Logger } from 'pino'
import type { OrderTiming } from '../config/index.ts'
import type { Store } from '../store/index.ts'
import type { CloudConnector } from './cloud-connector.ts'
import type { EngineClock } from './engine-clock.ts'
import type { Order } from './order.ts'
import { applyStep, dueOrders, findOrder, nextDue, takeUpUnsettled } from './order-store.ts'
import { processors, type Workbench } from './processors/index.ts'
import { isObserved } from './states.ts'
import type { Step } from './step.ts'

export interface Engine {
  /** Takes up what was under way when the site stopped, and keeps working until `stop`. */
  start(): Promise<void>
  /** An order has something to do now: it was made, or its state was changed by a request. */
  wake(order: Pick<Order, 'id' | 'cloudName'>): void
  /** Looks at an instance now, for somebody who reads it. Answers the order as it is after that. */
  refresh(order: Order): Promise<Order>
  /** Lets what is under way finish; nothing new is begun. */
  stop(): Promise<void>
}

export interface EngineParts {
  store: Store
  connector: CloudConnector
  timing(): OrderTiming
  /** Orders worked on at once, by cloud. */
  concurrency(cloudName: string): number
  clock: EngineClock
  log: Logger
  onTransition?(before: Order, after: Order): void
}

/** The orders of one cloud. Clouds do not wait for each other: a slow one fills its own lane only. */
interface Lane {
  cloudName: string
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
  }
  const working = new Map<string, Promise<Order | undefined>>()
  const wokenMeanwhile = new Set<string>()
  const lanes = new Map<string, Lane>()
  let stopping = false
  let alarm: { at: number; cancel(): void } | undefined

  function laneOf(cloudName: string): Lane {
    let lane = lanes.get(cloudName)
    if (!lane) {
      lane = { cloudName, active: 0, backlog: false }
      lanes.set(cloudName, lane)
    }
    return lane
  }

  function begin(id: string, lane: Lane): Promise<Order | undefined> {
    lane.active += 1
    const work = workOn(id)
      .catch((error) => {
        log.error({ err: error, order: id, cloud: lane.cloudName }, 'order could not be processed')
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
    if (stopping) return
    if (wokenMeanwhile.delete(id)) wake({ id, cloudName: lane.cloudName })
    else if (lane.backlog) setAlarm(clock.now())
  }

  async function workOn(id: string): Promise<Order | undefined> {
    let order = await findOrder(store.db, id)
    while (order && !stopping) {
      const step: Step = (await processors[order.state]?.(order, bench)) ?? { dueInMs: null }
      const before: Order = order
      const after = await store.write((db) => applyStep(db, before, step, clock.now()))
      announce(before, after)
      order = after
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
        cloud: after.cloudName,
        from: before.state,
        to: after.state,
        reason: after.faultMessage ?? undefined,
      },
      'order changed state',
    )
    parts.onTransition?.(before, after)
  }

  function wake(order: Pick<Order, 'id' | 'cloudName'>): void {
    if (stopping) return
    const lane = laneOf(order.cloudName)
    if (working.has(order.id)) wokenMeanwhile.add(order.id)
    else if (lane.active < parts.concurrency(lane.cloudName)) void begin(order.id, lane)
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
    const room = parts.concurrency(lane.cloudName) - lane.active
    // Reset before reading: an order that is woken while this reads, and finds no room, must not be forgotten.
    lane.backlog = room <= 0
    if (room > 0) {
      const limit = room + lane.active
      const due = await dueOrders(store.db, lane.cloudName, now, limit)
      const waiting = due.filter((id) => !working.has(id))
      for (const id of waiting.slice(0, room)) void begin(id, lane)
      lane.backlog ||= waiting.length > room || due.length === limit
    }
    const next = await nextDue(store.db, lane.cloudName, now)
    if (next !== undefined) setAlarm(next)
  }

  return {
    async start() {
      for (const cloudName of await takeUpUnsettled(store, clock.now(), parts.timing().settleMs))
        laneOf(cloudName)
      await gather()
    },
    wake,
    async refresh(order) {
      if (!isObserved(order.state) || stopping) return order
      const work = working.get(order.id) ?? begin(order.id, laneOf(order.cloudName))
      return (await work) ?? order
    },
    async stop() {
      stopping = true
      alarm?.cancel()
      await Promise.allSettled(working.values())
    },
  }
}
