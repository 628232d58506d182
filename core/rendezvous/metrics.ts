import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Gauge, Registry } from 'prom-client'
import type { XmppComponent } from '../federation/xmpp/index.ts'
import type { Rendezvous } from './rendezvous.ts'

/** Text in the exposition format of Prometheus, and whether the rendezvous is reachable at all. */
export interface MetricsServer {
  readonly url: string
  close(): Promise<void>
}

/** `GET /metrics`, and `GET /readyz`, which is 200 while the link to the XMPP server is up. */
export async function serveMetrics(
  at: { host: string; port: number },
  rendezvous: Rendezvous,
  component: XmppComponent,
): Promise<MetricsServer> {
  const registry = createRegistry(rendezvous, component)
  const server = createServer((request, response) => {
    const isUp = component.link.state === 'online'
    if (request.url === '/readyz') return void response.writeHead(isUp ? 200 : 503).end()
    if (request.url !== '/metrics') return void response.writeHead(404).end()
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    )
  })
  server.listen(at.port, at.host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${at.host}:${port}/metrics`,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function createRegistry(rendezvous: Rendezvous, component: XmppComponent): Registry {
  const registry = new Registry()
  const gauge = (
    name: string,
    help: string,
    read: (gauge: Gauge<string>) => void,
    label?: string,
  ) =>
    new Gauge({
      name: `fogbow_rendezvous_${name}`,
      help,
      labelNames: label ? [label] : [],
      registers: [registry],
      collect() {
        this.reset()
        read(this)
      },
    })
  const counts = () => rendezvous.counts()
  gauge('members', 'Members that are alive', (to) => to.set(counts().members))
  gauge('heartbeats_total', 'Heartbeats taken', (to) => to.set(counts().heartbeats))
  gauge('lists_total', 'Lists given to members, by page', (to) => to.set(counts().lists))
  gauge('syncs_total', 'Lists given to neighbours, by page', (to) => to.set(counts().syncs))
  const turnedAway = (to: Gauge<string>) => {
    for (const [reason, count] of Object.entries(counts().refusals)) to.set({ reason }, count)
  }
  gauge('refusals_total', 'Those turned away', turnedAway, 'reason')
  const silence = (to: Gauge<string>) => {
    for (const { jid, syncedAt } of counts().neighbours)
      if (syncedAt !== undefined) to.set({ neighbour: jid }, syncedAt / 1000)
  }
  gauge('neighbour_synced_timestamp_seconds', 'When it last gave its list', silence, 'neighbour')
  gauge('link_up', 'Whether the XMPP server is connected', (to) =>
    to.set(component.link.state === 'online' ? 1 : 0),
  )
  return registry
}
