import type { FederatedSite } from './federated-site.ts'

/** What a site counts, by name and labels as Prometheus reads them. */
export async function readMetrics(site: FederatedSite): Promise<ReadonlyMap<string, number>> {
  const { status, body } = await site.client().get('/metrics')
  if (status !== 200) throw new Error(`${site.id} answers /metrics with ${status}`)
  const lines = String(body)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line): [string, number] => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), Number(line.slice(at + 1))]
    }),
  )
}

/** Envelopes that were not believed for that reason. */
export async function refusalsOf(site: FederatedSite, reason: string): Promise<number> {
  const metrics = await readMetrics(site)
  return metrics.get(`fogbow_federation_refused_envelopes_total{reason="${reason}"}`) ?? 0
}
