import { asFogbowError, FogbowError, type PluginHost } from '@fogbow/plugin-sdk'

/**
 * Makes things that a cloud would make twice when asked twice. None of OpenStack's creating calls has a key of its own
 * for that, so what was made is looked for first. A request whose answer nobody saw may still be on its way inside the
 * cloud: until it must have shown, nothing is asked again. Attempts are stored, so that this holds over a restart.
 */
export interface Once {
  /**
   * Calls for the same key that come while one is under way get its answer.
   * @param key - names one thing of one order, such as `network/<order id>/subnet`
   * @param find - looks for it in the cloud
   * @param create - asks the cloud for it, in one request
   */
  make<Made>(
    key: string,
    find: () => Promise<Made | undefined>,
    create: () => Promise<Made>,
  ): Promise<Made>
}

type Parts = Pick<PluginHost, 'storage' | 'clock' | 'log'>

export function createOnce({ storage, clock, log }: Parts, settleMs: number): Once {
  const underWay = new Map<string, Promise<unknown>>()

  async function assertSettled(key: string): Promise<void> {
    const since = await storage.get(key)
    const waitMs = typeof since === 'number' ? since + settleMs - clock.now() : 0
    if (waitMs <= 0) return
    const retryAfterSeconds = Math.ceil(waitMs / 1000)
    throw new FogbowError(
      'unavailable_provider',
      `the cloud did not answer the last request and may still carry it out; asked again in ${retryAfterSeconds} s if nothing has come of it by then`,
      { details: { retryAfterSeconds } },
    )
  }

  /** Left behind, it costs a later attempt some time and nothing else. */
  function forget(key: string): void {
    storage.delete(key).catch((error) => {
      log.warn('an attempt could not be forgotten', { key, problem: asFogbowError(error).message })
    })
  }

  async function findOrCreate<Made>(
    key: string,
    find: () => Promise<Made | undefined>,
    create: () => Promise<Made>,
  ): Promise<Made> {
    const found = await find()
    if (found !== undefined) return found
    await assertSettled(key)
    await storage.set(key, clock.now())
    try {
      const made = await create()
      forget(key)
      return made
    } catch (error) {
      if (isOver(error)) forget(key)
      throw error
    }
  }

  return {
    make<Made>(
      name: string,
      find: () => Promise<Made | undefined>,
      create: () => Promise<Made>,
    ): Promise<Made> {
      const key = `attempt/${name}`
      if (underWay.has(key)) return underWay.get(key) as Promise<Made>
      const running = findOrCreate(key, find, create).finally(() => underWay.delete(key))
      underWay.set(key, running)
      return running
    },
  }
}

/** Refused, or failed inside the service that answered (500, and not a proxy before it): it works on it no more. */
function isOver(error: unknown): boolean {
  const { outcome, details } = asFogbowError(error)
  return outcome === 'refused' || details.status === 500
}
