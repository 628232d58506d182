import type { SiteKeyFile } from './trust/index.ts'
import type { Clock, Log } from './xmpp/index.ts'

const LOOK_EVERY_MS = 5000

/**
 * Has a running site take the keys that its administrator changes meanwhile (`fogbow federation key`). A file that cannot be
 * read changes nothing.
 * @returns what ends it
 */
export function watchKeys(parts: {
  keys: Pick<SiteKeyFile, 'reread' | 'signing' | 'announced'>
  clock: Clock
  log: Log
}): () => void {
  const { keys, clock, log } = parts
  let problem: string | undefined
  let stopped = false
  let cancel = () => {}

  async function look(): Promise<void> {
    try {
      if (await keys.reread())
        log.info(
          { signs: keys.signing.kid, announced: keys.announced },
          'this site changed its keys',
        )
      problem = undefined
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      if (problem !== message) log.error({ problem: message }, 'changed keys could not be read')
      problem = message
    }
    lookLater()
  }

  function lookLater(): void {
    if (!stopped) cancel = clock.after(LOOK_EVERY_MS, () => void look())
  }

  lookLater()
  return () => {
    stopped = true
    cancel()
  }
}
