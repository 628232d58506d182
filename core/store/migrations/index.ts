import type { Migration } from 'kysely/migration'
import * as initial from './0001-initial.ts'
import * as movedPlugins from './0002-moved-plugins.ts'
import * as federation from './0003-federation.ts'
import * as remoteOrders from './0004-remote-orders.ts'
import * as begunEffects from './0005-begun-effects.ts'
import * as pluginTrials from './0006-plugin-trials.ts'
import * as pendingLogins from './0007-pending-logins.ts'
import * as logIns from './0008-log-ins.ts'
import * as delegations from './0009-delegations.ts'

/** In the order of their numbers. A migration that has been released is never edited; a change is a new file here. */
export const migrations: Record<string, Migration> = {
  '0001-initial': initial,
  '0002-moved-plugins': movedPlugins,
  '0003-federation': federation,
  '0004-remote-orders': remoteOrders,
  '0005-begun-effects': begunEffects,
  '0006-plugin-trials': pluginTrials,
  '0007-pending-logins': pendingLogins,
  '0008-log-ins': logIns,
  '0009-delegations': delegations,
}
