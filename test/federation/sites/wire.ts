import { once } from 'node:events'
import { createConnection, createServer, type Socket } from 'node:net'

/** A TCP connection of which a test has the scissors: it stands where a network would, and bytes pass unchanged. */
export interface Wire {
  readonly host: string
  readonly port: number
  /** Ends every connection; new ones get through. */
  reset(): void
  /** Ends every connection and lets nobody through until `mend`. */
  cut(): void
  /** Connections stay and nothing gets through; what was sent meanwhile arrives after `mend`, as TCP repeats it. */
  blackhole(): void
  mend(): void
  /** Bytes per second in each direction; undefined for as fast as it goes. */
  slowDown(bytesPerSecond: number | undefined): void
  close(): void
}

/** `out`: from who dialled to who was dialled. */
export type Direction = 'out' | 'in'

export interface WireOptions {
  readonly listen: { readonly host: string; readonly port: number }
  readonly to: { readonly host: string; readonly port: number }
  /** What passes in place of a chunk; made anew for each connection and direction. */
  readonly reader?: (
    direction: Direction,
    write: (bytes: Buffer) => void,
  ) => (chunk: Buffer) => void
}

interface Lane {
  readonly from: Socket
  readonly to: Socket
  readonly pass: (chunk: Buffer) => void
  readonly held: Buffer[]
}

const SLICES_PER_SECOND = 20

export async function openWire(options: WireOptions): Promise<Wire> {
  const lanes = new Set<Lane>()
  let state: 'whole' | 'cut' | 'held' = 'whole'
  let bytesPerSlice: number | undefined
  let drip: NodeJS.Timeout | undefined

  const server = createServer((dialled) => {
    if (state === 'cut') return dialled.destroy()
    const other = createConnection(options.to)
    join(dialled, other, 'out')
    join(other, dialled, 'in')
  })

  function join(from: Socket, to: Socket, direction: Direction): void {
    const write = (bytes: Buffer) => void (to.writable && to.write(bytes))
    const lane: Lane = { from, to, held: [], pass: options.reader?.(direction, write) ?? write }
    lanes.add(lane)
    from.setNoDelay(true)
    from.on('data', (chunk: Buffer) => {
      if (state === 'whole' && bytesPerSlice === undefined) return lane.pass(chunk)
      lane.held.push(chunk)
      // Whoever sends into a full or broken way is held up by it.
      if (lane.held.length > 64) from.pause()
    })
    from.on('error', () => to.destroy())
    // Whether it ended is not seen beyond a black hole either.
    from.on('close', () => void (state === 'held' || finish(lane)))
  }

  function finish(lane: Lane): void {
    lanes.delete(lane)
    release(lane, Number.POSITIVE_INFINITY)
    lane.to.destroySoon()
  }

  function release(lane: Lane, most: number): void {
    let left = most
    while (left > 0) {
      const chunk = lane.held.shift()
      if (!chunk) break
      const part = chunk.subarray(0, left)
      if (part.length < chunk.length) lane.held.unshift(chunk.subarray(part.length))
      left -= part.length
      lane.pass(part)
    }
    if (lane.held.length === 0) lane.from.resume()
  }

  function reset(): void {
    // What is closing already cannot be reset any more.
    for (const { from } of lanes)
      if (from.readyState === 'open') from.resetAndDestroy()
      else from.destroy()
  }

  await once(server.listen(options.listen.port, options.listen.host), 'listening')
  return {
    ...options.listen,
    reset,
    cut() {
      state = 'cut'
      reset()
    },
    blackhole() {
      state = 'held'
    },
    mend() {
      state = 'whole'
      for (const lane of lanes)
        if (lane.from.destroyed) finish(lane)
        else release(lane, Number.POSITIVE_INFINITY)
    },
    slowDown(bytesPerSecond) {
      clearInterval(drip)
      bytesPerSlice = bytesPerSecond && Math.ceil(bytesPerSecond / SLICES_PER_SECOND)
      const most = bytesPerSlice ?? Number.POSITIVE_INFINITY
      const flow = () => {
        for (const lane of lanes) if (state === 'whole') release(lane, most)
      }
      if (bytesPerSlice === undefined) flow()
      else drip = setInterval(flow, 1000 / SLICES_PER_SECOND)
    },
    close() {
      state = 'cut'
      clearInterval(drip)
      server.close()
      reset()
    },
  }
}
