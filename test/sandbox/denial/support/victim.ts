import type { Order } from './strike.ts'
import { sufferFrom } from './suffer.ts'

/**
 * A host with two plugins, one of which strikes: a process of its own, so that nobody else suffers when it does not
 * survive. Takes one order over its channel and answers with one report; who gave the order ends it.
 */
process.once('message', async (order: Order) => process.send?.(await sufferFrom(order)))
