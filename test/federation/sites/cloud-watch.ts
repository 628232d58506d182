import { readBooks } from './books.ts'
import type { FederatedSite } from './federated-site.ts'

/** Compares a cloud with what it held before, and notes what went that nobody asked to go. */
export interface CloudWatch {
  /** @param site - between two of its lives */
  look(site: FederatedSite): void
  /** In words; an instance that went and came again is named too. */
  readonly problems: readonly string[]
}

/** @param mayGo - whether somebody asked for the deletion of an order */
export function watchClouds(mayGo: (orderId: string) => boolean): CloudWatch {
  /** By site, then by order. */
  const seen = new Map<string, Map<string, string>>()
  const problems: string[] = []
  return {
    problems,
    look(site) {
      const { instances } = readBooks(site)
      const before = seen.get(site.id) ?? new Map()
      for (const [orderId, instanceId] of before) {
        const now = instances.get(orderId)
        if (now !== instanceId && !mayGo(orderId))
          problems.push(`${site.id}: ${orderId} had ${instanceId}, has ${now} and nobody asked`)
      }
      seen.set(site.id, new Map(instances))
    },
  }
}
