import { FogbowError } from '@fogbow/plugin-sdk'
import type { DialectCallSettings } from '../dialect.ts'
import type { Clock } from '../xmpp/index.ts'
import type { Command, CommandOutcome, Waiting } from './command.ts'
import { errorOf, unavailable } from './messages.ts'

/**
 * Waits for the outcome of a command, but not for ever: the command goes on without its caller.
 * @throws FogbowError: the answer; unavailable_provider when there was none in time
 */
export function awaitOutcome(
  clock: Clock,
  command: Command,
  { timeoutMs, signal }: DialectCallSettings,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const giveUp = () => waiting.fail(notKnown(command, timeoutMs))
    const cancel = clock.after(timeoutMs, giveUp)
    const end = () => {
      cancel()
      signal?.removeEventListener('abort', giveUp)
    }
    const waiting: Waiting = {
      settle(outcome) {
        end()
        if ('result' in outcome) resolve(outcome.result)
        else reject(failure(command, outcome))
      },
      fail(error) {
        end()
        command.waiting.delete(waiting)
        reject(error)
      },
    }
    signal?.addEventListener('abort', giveUp, { once: true })
    command.waiting.add(waiting)
    if (signal?.aborted) giveUp()
  })
}

function failure(
  { member, method }: Command,
  outcome: Exclude<CommandOutcome, { result: unknown }>,
): FogbowError {
  if ('error' in outcome) return errorOf(outcome.error)
  return new FogbowError(
    'unacceptable_operation',
    `${member} could not begin '${method}' in time; nothing was done`,
    { details: { expired: true } },
  )
}

function notKnown({ member, method, hint, expiresAt }: Command, timeoutMs: number): FogbowError {
  const until = new Date(expiresAt).toISOString()
  return unavailable(
    member,
    `did not say within ${timeoutMs} ms what became of '${method}' (${hint}); it is asked until ${until}, and then for the outcome`,
  )
}
