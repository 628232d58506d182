import { FogbowError } from '@fogbow/plugin-sdk'
import type { MemberId } from '../contract.ts'
import type { DialectParts } from '../dialect.ts'
import type { Element } from '../xmpp/index.ts'
import { isAnswer } from './errors.ts'
import { readResult, type Values, writeRequest } from './layout.ts'
import { type JavaMethod, type JavaMethodName, javaMethods } from './methods.ts'

export interface AskOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/**
 * Sends one request of the original protocol, under an id of its own.
 * @throws XmppError; FogbowError `unavailable_provider` for an answer that cannot be read
 */
export type Ask = (
  member: MemberId,
  name: JavaMethodName,
  values: Values,
  options: AskOptions,
) => Promise<Values>

export function createAsk({
  request,
  heard,
  clock,
}: Pick<DialectParts, 'request' | 'heard' | 'clock'>): Ask {
  return async (member, name, values, { timeoutMs, signal }) => {
    const method: JavaMethod = javaMethods[name]
    const begunAt = clock.now()
    const answered = () => heard(member, clock.now() - begunAt)
    const options = { timeoutMs, ...(signal && { signal }) }
    let answer: Element
    try {
      answer = await request(member, method.type, writeRequest(method, values), options)
    } catch (error) {
      if (isAnswer(error)) answered()
      throw error
    }
    answered()
    return readable(member, () => readResult(method, answer))
  }
}

/** What a member answered, unless it makes no sense. @throws FogbowError `unavailable_provider` */
export function readable<Result>(member: MemberId, read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new FogbowError('unavailable_provider', `${member} gave an answer that is none: ${why}`, {
      cause: error,
    })
  }
}
