import type { PeerSettings } from '../../settings.ts'
import { createManualClock } from '../../xmpp/testing/manual-clock.ts'
import { createJavaDialect } from '../java-dialect.ts'
import { createJavaProvider } from './java-provider.ts'
import { createJavaRequester } from './java-requester.ts'
import { createMemoryNetwork } from './memory-network.ts'
import { createModelOrders } from './model-orders.ts'
import { createModelSite } from './model-site.ts'

export const OURS = 'ours.example'
export const THEIRS = 'theirs.example'
export const eva = { id: 'eva', identityProviderId: OURS, name: 'Eva', roles: [] }

/** A site of ours and one of the original service, joined in memory; time stands still until it is moved. */
export function createSites(written: PeerSettings = {}) {
  const clock = createManualClock()
  const network = createMemoryNetwork(clock)
  const component = network.component(`ras-${THEIRS}`)
  const model = createModelOrders()
  const ours = createModelSite({
    siteId: OURS,
    component: network.component(`ras-${OURS}`),
    clock,
    create: createJavaDialect(),
    written: () => written,
    answer: model.answer,
    members: [THEIRS],
  })
  return {
    clock,
    network,
    model,
    ours,
    provider: createJavaProvider(THEIRS, component),
    requester: createJavaRequester(THEIRS, component),
    /** Lets time pass while something waits. */
    async during<Result>(waiting: Promise<Result>, ...steps: number[]): Promise<Result> {
      const settled = waiting.then(
        () => {},
        () => {},
      )
      for (const ms of steps) {
        await Promise.race([settled, new Promise(setImmediate)])
        clock.advance(ms)
      }
      return waiting
    },
  }
}
