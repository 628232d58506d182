import { Agent, type IncomingHttpHeaders, request } from 'node:http'

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

export interface Connection {
  send(wanted: LoadRequest): Promise<{ status: number; ms: number; headers: IncomingHttpHeaders }>
  close(): void
}

/** Kept-alive connections that read answers without looking at them: the client must not be what is measured. */
export function connect(url: string, connections: number): Connection {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const { hostname, port } = new URL(url)
  return {
    send: ({ body, ...wanted }) =>
      new Promise((resolve, reject) => {
        const startedAt = performance.now()
        const outgoing = request({ ...wanted, agent, hostname, port }, (answer) => {
          answer.resume()
          answer.on('end', () =>
            resolve({
              status: answer.statusCode ?? 0,
              ms: performance.now() - startedAt,
              headers: answer.headers,
            }),
          )
        })
        outgoing.on('error', reject)
        outgoing.end(body)
      }),
    close: () => agent.destroy(),
  }
}

/** Sends requests over as many kept-alive connections as are in flight, until `count` are answered. */
export async function load(
  url: string,
  options: { inFlight: number; count: number },
  next: (index: number) => LoadRequest,
): Promise<LoadResult> {
  const connection = connect(url, options.inFlight)
  const latencies: number[] = []
  const statuses: Record<number, number> = {}
  let sent = 0
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: options.inFlight }, async () => {
      while (sent < options.count) {
        const { status, ms } = await connection.send(next(sent++))
        latencies.push(ms)
        statuses[status] = (statuses[status] ?? 0) + 1
      }
    }),
  )
  const perSecond = options.count / ((performance.now() - startedAt) / 1000)
  connection.close()
  return { perSecond, latencies, statuses }
}
