import { Agent, request } from 'node:http'

export interface LoadRequest {
  method: string
  path: string
  headers: Record<string, string>
  body?: string
}

export interface LoadResult {
  perSecond: number
  /** ms */
  latencies: number[]
  /** Status → how often. */
  statuses: Record<number, number>
}

/** Sends requests over as many kept-alive connections as are in flight, until `count` are answered. */
export async function load(
  url: string,
  options: { inFlight: number; count: number },
  next: (index: number) => LoadRequest,
): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.inFlight })
  const { hostname, port } = new URL(url)
  const latencies: number[] = []
  const statuses: Record<number, number> = {}
  let sent = 0

  const sendOne = (wanted: LoadRequest) =>
    new Promise<void>((resolve, reject) => {
      const startedAt = performance.now()
      const outgoing = request(
        {
          agent,
          hostname,
          port,
          method: wanted.method,
          path: wanted.path,
          headers: wanted.headers,
        },
        (answer) => {
          answer.resume()
          answer.on('end', () => {
            latencies.push(performance.now() - startedAt)
            statuses[answer.statusCode ?? 0] = (statuses[answer.statusCode ?? 0] ?? 0) + 1
            resolve()
          })
        },
      )
      outgoing.on('error', reject)
      outgoing.end(wanted.body)
    })

  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: options.inFlight }, async () => {
      while (sent < options.count) await sendOne(next(sent++))
    }),
  )
  const perSecond = options.count / ((performance.now() - startedAt) / 1000)
  agent.destroy()
  return { perSecond, latencies, statuses }
}
