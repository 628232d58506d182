import type { CreateDialect } from '../dialect.ts'
import { element, XmppError } from '../xmpp/index.ts'
import { fromJavaError } from './errors.ts'
import { serveMembers } from './provider.ts'
import { createErrands, notThere } from './requester.ts'
import type { JavaDialectSettings } from './settings.ts'
import { createWarning } from './warning.ts'

const PING = 'urn:xmpp:ping'

/**
 * The protocol of the original service, as the one that asks and as the one that answers. It stores nothing: commands that
 * ended with `unavailable_provider` may be given again.
 */
export function createJavaDialect(settings: JavaDialectSettings = {}): CreateDialect {
  return (parts) => {
    const { clock, request, heard } = parts
    const used = createWarning(parts.log)
    const errands = createErrands(parts)
    serveMembers(parts, settings, used)

    return {
      name: 'java',
      describe: () => ({ features: [] }),
      async call(member, { name }, params, callSettings) {
        const errand = Object.hasOwn(errands, name) ? errands[name] : undefined
        if (!errand) throw notThere(member, name)
        used(member)
        try {
          return await errand({ member, params, settings: callSettings })
        } catch (error) {
          throw fromJavaError(error, member)
        }
      },
      /** XEP-0199. A member that does not know pings is there all the same. */
      async ping(member, timeoutMs) {
        const begunAt = clock.now()
        try {
          await request(member, 'get', [element('ping', { xmlns: PING })], { timeoutMs })
        } catch (error) {
          const condition = error instanceof XmppError ? error.condition : ''
          if (condition !== 'feature-not-implemented' && condition !== 'bad-request') throw error
        }
        heard(member, clock.now() - begunAt)
      },
      async start() {},
      async stop() {},
    }
  }
}
