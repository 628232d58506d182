import { randomUUID } from 'node:crypto'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { MemberId } from '../contract.ts'
import type { DialectParts } from '../dialect.ts'
import { siteOf } from '../site-jid.ts'
import { type Element, type ServedIq, StanzaError } from '../xmpp/index.ts'
import { createAnswers, type Visit } from './answers.ts'
import { toJavaError } from './errors.ts'
import { readRequest, type Values, writeResult } from './layout.ts'
import { type JavaMethod, type JavaMethodName, javaMethods } from './methods.ts'
import { ANSWER_WITHIN_MS, type JavaDialectSettings } from './settings.ts'
import { readUser } from './user.ts'

/** Answers members that speak the original service's protocol. */
export function serveMembers(
  parts: DialectParts,
  settings: JavaDialectSettings,
  used: (member: MemberId) => void,
): void {
  const { component, server, clock, log } = parts
  const answers = createAnswers(parts)
  const answerWithinMs = settings.answerWithinMs ?? ANSWER_WITHIN_MS

  function visitOf(member: MemberId, values: Values, iq: ServedIq): Visit {
    const user = values.user === undefined ? undefined : readUser(values.user, 'systemUser')
    const deadline = clock.now() + answerWithinMs
    return {
      member,
      values,
      user,
      async ask(method, params, on = {}) {
        const asked = { member, method, params, deadline, signal: iq.signal }
        const onBehalf = { user, id: randomUUID(), ...on }
        const call = server.admit({ ...asked, ...onBehalf })
        used(member)
        parts.heard(member)
        return server.answer(call)
      },
    }
  }

  async function answer(
    name: JavaMethodName,
    method: JavaMethod,
    iq: ServedIq,
  ): Promise<readonly Element[]> {
    const member = siteOf(iq.from)
    try {
      if (member === undefined)
        throw new FogbowError('unauthorized', `${iq.from} is not the component of a site`)
      const values = readRequest(method, iq.iq, iq.payload)
      return writeResult(method, await answers[name](visitOf(member, values, iq)))
    } catch (error) {
      if (!(error instanceof FogbowError) && !(error instanceof StanzaError))
        log.error({ err: error, member, method: name }, 'a request of a member failed')
      throw toJavaError(error)
    }
  }

  for (const [name, method] of Object.entries(javaMethods))
    component.serve(method.type, method.namespace, (iq) =>
      answer(name as JavaMethodName, method, iq),
    )
}
