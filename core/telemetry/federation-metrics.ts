import { Counter, Gauge, type Registry } from 'prom-client'

/** A look at what this site has to do with others. */
export interface FederationReading {
  /** Whether the site's own XMPP server is reached. */
  online: boolean
  /** All but this site. */
  members: readonly {
    id: string
    liveness: string
    latencyMs?: number
    requests: number
    /** No answer at all came. */
    failures: number
    /** Not sent because the member has not answered for a while. */
    spared: number
    inFlight: number
  }[]
  /** Envelopes that were not believed, by reason. */
  refusals: Readonly<Record<string, number>>
  /** Commands of this site whose outcome is not known yet. */
  pendingCommands: number
  /** What the component counted, by its own names. */
  stanzas: Readonly<Record<string, number>>
}

/** Everything is read when somebody asks; members come from the configuration, so that no stranger adds a series. */
export function createFederationMetrics(registry: Registry): {
  show(reading: FederationReading): void
} {
  const registers = [registry]
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge({ name: `fogbow_federation_${name}`, help, labelNames, registers })
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `fogbow_federation_${name}`, help, labelNames, registers })
  const member = 'member' as const

  const online = gauge('online', "1 while the site's XMPP server is reached")
  const alive = gauge('member_alive', '1 for a member that answers, 0 for one that is silent', [
    member,
  ])
  const latency = gauge('member_latency_seconds', 'Round trip of the last sign of life', [member])
  const inFlight = gauge('member_requests_in_flight', 'Requests to members under way', [member])
  const pending = gauge('pending_commands', 'Commands whose outcome is not known yet')
  const requests = counter('member_requests_total', 'Requests to members', [member])
  const failures = counter('member_failures_total', 'Requests that no answer came to', [member])
  const spared = counter('member_spared_total', 'Requests not sent to a silent member', [member])
  const refusals = counter('refused_envelopes_total', 'What members said and was not believed', [
    'reason',
  ])
  const stanzas = counter('stanzas_total', 'What came and went over the XMPP link', ['event'])
  const shown = [alive, latency, inFlight, requests, failures, spared, refusals, stanzas]

  function showMember({ id, liveness, latencyMs, ...counts }: FederationReading['members'][0]) {
    const labels = { member: id }
    if (liveness !== 'unknown') alive.set(labels, liveness === 'alive' ? 1 : 0)
    if (latencyMs !== undefined) latency.set(labels, latencyMs / 1000)
    inFlight.set(labels, counts.inFlight)
    requests.inc(labels, counts.requests)
    failures.inc(labels, counts.failures)
    spared.inc(labels, counts.spared)
  }

  return {
    show(reading) {
      for (const metric of shown) metric.reset()
      online.set(reading.online ? 1 : 0)
      pending.set(reading.pendingCommands)
      for (const each of reading.members) showMember(each)
      for (const [reason, count] of Object.entries(reading.refusals))
        refusals.inc({ reason }, count)
      for (const [event, count] of Object.entries(reading.stanzas)) stanzas.inc({ event }, count)
    },
  }
}
