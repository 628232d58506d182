import type { Store } from '../../store/index.ts'
import type { RemoteMethod } from '../contract.ts'
import type { CreateDialect, Dialect } from '../dialect.ts'
import { CLOCK_SKEW_MS, MAX_ENVELOPE_LENGTH, type Trust } from '../trust/index.ts'
import { createRandomIds } from '../xmpp/index.ts'
import { createAttempts } from './attempts.ts'
import { createExchange } from './exchange.ts'
import { createInbox, type Inbox } from './inbox.ts'
import { createOutbox } from './outbox.ts'
import { createParcels } from './parcels.ts'
import { MAX_INLINE_LENGTH, NAMESPACE, PING, PROTOCOL_VERSION } from './protocol.ts'
import { createReads } from './reads.ts'
import { createCarryOut, createServing } from './serving.ts'

export interface OwnDialectParts {
  readonly store: Store
  readonly trust: Trust
  readonly isMember: (site: string) => boolean
  /** Tries to learn the keys of a member of which none is known. @returns whether there are some now */
  readonly introduce: (member: string) => Promise<boolean>
  /** 128 bits that nobody guesses. */
  readonly newId?: () => string
}

export interface OwnDialect extends Dialect {
  /** Commands of this site whose outcome is not known. */
  readonly pendingCommands: number
}

/** Signed requests and answers; commands survive whatever happens to either site or the way between them. */
export function createOwnDialect(
  own: OwnDialectParts,
): (...parts: Parameters<CreateDialect>) => OwnDialect {
  return (parts) => {
    const { component, clock, log, methods, server } = parts
    const { store, trust } = own
    const newId = own.newId ?? createRandomIds()
    const stopping = new AbortController()
    const parcels = createParcels({ trust, ...parts })
    const exchange = createExchange({ trust, parcels, ...parts })
    const reads = createReads({ exchange, trust, clock, newId })
    const attempts = createAttempts({ exchange, reads, trust, clock })
    const outbox = createOutbox({ store, trust, attempts, clock, log, newId })
    const carryOut = createCarryOut({ server, clock, log, methods, stopping: stopping.signal })
    const inbox: Inbox = createInbox({ store, trust, clock, log, carryOut })
    const serving = createServing({ ...parts, ...own, parcels, inbox: () => inbox })
    component.serve('get', NAMESPACE, serving.answer)
    component.serve('set', NAMESPACE, serving.answer)

    return {
      name: 'own',
      describe: () => ({ features: [NAMESPACE], forms: [describeLimits(trust)] }),
      call: (member, method, params, settings) =>
        method.effect === 'command'
          ? outbox.ask(member, method, params, settings)
          : reads.ask(member, method.name, params, { ...settings, isList: isList(method) }),
      async ping(member, timeoutMs) {
        const begun = clock.now()
        const settings = { timeoutMs, attempts: 1, isSigned: true }
        await reads.ask(member, PING, {}, settings)
        parts.heard(member, clock.now() - begun)
      },
      recovered: outbox.wake,
      async start() {
        await trust.peerKeys.load()
        await inbox.start()
        await outbox.start()
      },
      async stop() {
        stopping.abort()
        await outbox.stop()
        await inbox.stop()
      },
      get pendingCommands() {
        return outbox.pending
      },
    }
  }
}

function isList({ result }: RemoteMethod): boolean {
  return result?.type === 'array'
}

/** XEP-0128. Unsigned: nothing of it is believed but when first keys may be taken unseen. */
function describeLimits(trust: Trust) {
  return {
    type: NAMESPACE,
    fields: {
      version: [PROTOCOL_VERSION],
      'largest-stanza-characters': [String(MAX_INLINE_LENGTH)],
      'largest-envelope-characters': [String(MAX_ENVELOPE_LENGTH)],
      'clock-skew-ms': [String(CLOCK_SKEW_MS)],
      keys: trust.announced,
    },
  }
}
