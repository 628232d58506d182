/** Runs things one after another or side by side, at most so many for each member at a time. */
export interface Lanes {
  /** Runs it once there is room. @param run - never rejects */
  enter(member: string, run: () => Promise<void>): void
}

export function createLanes(mostAtATime: number): Lanes {
  const lanes = new Map<string, { running: number; waiting: (() => Promise<void>)[] }>()

  function pump(member: string): void {
    const lane = lanes.get(member)
    if (!lane) return
    while (lane.running < mostAtATime) {
      const run = lane.waiting.shift()
      if (!run) break
      lane.running += 1
      void run().finally(() => {
        lane.running -= 1
        pump(member)
      })
    }
    if (lane.running === 0) lanes.delete(member)
  }

  return {
    enter(member, run) {
      const lane = lanes.get(member) ?? { running: 0, waiting: [] }
      lanes.set(member, lane)
      lane.waiting.push(run)
      pump(member)
    },
  }
}
