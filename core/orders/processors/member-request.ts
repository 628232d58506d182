import { asFogbowError } from '@fogbow/plugin-sdk'
import { type OrderReport, wasNeverBegun } from '../member-connector.ts'
import { factsOf, refusesAnywhere } from '../report.ts'
import type { MemberProcessor } from './member-bench.ts'
import { mirror } from './mirror.ts'
import { retryPause } from './processor.ts'
import { refuse } from './refuse.ts'

/**
 * SELECTED: asks the provider, which keeps the order under the same id. Without an answer it is asked again and the order
 * waits: only what the provider refuses has failed.
 */
export const requestAtMember: MemberProcessor = async (order, bench) => {
  let report: OrderReport
  try {
    report = await bench.members.createOrder(order)
  } catch (cause) {
    const error = asFogbowError(cause)
    // What was refused does not exist there: nothing has to be deleted.
    if (error.outcome === 'refused' && !wasNeverBegun(error))
      return refuse(order, error.message, { requestOutcome: 'never asked' }, bench)
    return {
      faultMessage: `${order.provider} did not answer yet, trying again: ${error.message}`,
      dueInMs: retryPause(order, bench, error),
      counts: true,
    }
  }
  // What follows from a refusal is decided where all of them are.
  if (refusesAnywhere(order, report))
    return { to: 'PENDING', facts: factsOf(order, report), dueInMs: 0 }
  return mirror(order, report, bench)
}
