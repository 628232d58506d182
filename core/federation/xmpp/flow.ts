export interface FlowLimits {
  readonly calls: number
  readonly bytes: number
  /** Calls that wait for room. */
  readonly waiting: number
}

/** Bounds what is under way, for each peer and altogether, and lets peers take turns when there is not room for all. */
export interface Flow {
  /**
   * Runs `begin` once there is room, at once if there is.
   * @returns what frees the room again, or gives up the place in the queue; undefined when too much is waiting
   */
  enter(peer: string, bytes: number, begin: () => void): (() => void) | undefined
  readonly waiting: number
  readonly underWay: number
}

interface Entry {
  readonly lane: Lane
  readonly bytes: number
  readonly begin: () => void
  state: 'waiting' | 'under way' | 'left'
}

interface Load {
  calls: number
  bytes: number
  waiting: number
}

interface Lane extends Load {
  readonly peer: string
  readonly queue: Entry[]
}

/** @param perPeer - no single call may be larger than its bytes */
export function createFlow(perPeer: FlowLimits, total: FlowLimits): Flow {
  const lanes = new Map<string, Lane>()
  /** Lanes with something in their queue, the one whose turn it is first. */
  const turns: Lane[] = []
  const all: Load = { calls: 0, bytes: 0, waiting: 0 }
  let admitting = false
  /** Somebody waits for room in the total: who comes later must not overtake. */
  let full = false

  const fits = (load: Load, limits: FlowLimits, bytes: number) =>
    load.calls < limits.calls && load.bytes + bytes <= limits.bytes

  function laneOf(peer: string): Lane {
    let lane = lanes.get(peer)
    if (!lane) {
      lane = { peer, calls: 0, bytes: 0, waiting: 0, queue: [] }
      lanes.set(peer, lane)
    }
    return lane
  }

  function begin(entry: Entry): void {
    entry.state = 'under way'
    for (const load of [entry.lane, all]) {
      load.calls += 1
      load.bytes += entry.bytes
    }
    entry.begin()
  }

  function wait(entry: Entry): void {
    const { lane } = entry
    if (lane.queue.length === 0) turns.push(lane)
    lane.queue.push(entry)
    lane.waiting += 1
    all.waiting += 1
  }

  /** Lets in who fits, one of each peer in turn. Not nested: what begins may leave at once. */
  function admit(): void {
    if (admitting) return
    admitting = true
    full = false
    let passed = 0
    while (passed < turns.length) {
      const lane = turns[0] as Lane
      const entry = next(lane)
      full = entry !== undefined && !fits(all, total, entry.bytes)
      if (full) break
      turns.shift()
      if (entry && fits(lane, perPeer, entry.bytes)) {
        lane.queue.shift()
        lane.waiting -= 1
        all.waiting -= 1
        begin(entry)
        passed = -1
      }
      if (lane.queue.length > 0) {
        turns.push(lane)
        passed += 1
      } else {
        forget(lane)
        passed = Math.max(passed, 0)
      }
    }
    admitting = false
  }

  function next(lane: Lane): Entry | undefined {
    while (lane.queue[0]?.state === 'left') lane.queue.shift()
    return lane.queue[0]
  }

  function leave(entry: Entry): void {
    if (entry.state === 'left') return
    const { lane } = entry
    for (const load of [lane, all])
      if (entry.state === 'waiting') load.waiting -= 1
      else {
        load.calls -= 1
        load.bytes -= entry.bytes
      }
    entry.state = 'left'
    admit()
    forget(lane)
  }

  function forget(lane: Lane): void {
    if (lane.calls === 0 && lane.queue.length === 0) lanes.delete(lane.peer)
  }

  return {
    enter(peer, bytes, run) {
      const lane = laneOf(peer)
      const entry: Entry = { lane, bytes, begin: run, state: 'waiting' }
      if (!full && lane.queue.length === 0 && fits(lane, perPeer, bytes) && fits(all, total, bytes))
        begin(entry)
      else if (lane.waiting < perPeer.waiting && all.waiting < total.waiting) wait(entry)
      else return undefined
      return () => leave(entry)
    },
    get waiting() {
      return all.waiting
    },
    get underWay() {
      return all.calls
    },
  }
}
