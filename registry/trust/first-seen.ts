import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '@fogbow/plugin-sdk'
import { replaceFile } from '../installed/durable-file.ts'
import { createExclusive } from '../installed/exclusive.ts'

/**
 * When this site first saw each version: mirrors stamp times anew, and who publishes can name any. Other bytes under the
 * same version are another version.
 */
export interface FirstSeen {
  /** @returns RFC 3339; now when it was not seen before */
  note(name: string, version: string, integrity: string): Promise<string>
}

interface Sighting {
  at: string
}

/** @param path - file that holds it; a damaged one counts as none, which makes everything young and never old */
export function createFirstSeen(path: string, clock: Pick<Clock, 'now'>): FirstSeen {
  /** A site and the command line note at the same time; neither may drop what the other saw. */
  const alone = createExclusive(`${path}.lock`)

  async function read(): Promise<Map<string, Sighting>> {
    const text = await readFile(path, 'utf8').catch(() => '{}')
    try {
      const entries = Object.entries(JSON.parse(text) as Record<string, Sighting>)
      return new Map(entries.filter(([, { at }]) => Number.isFinite(Date.parse(at))))
    } catch {
      return new Map()
    }
  }

  /** @returns undefined when it was not seen; a clock that was ahead for a while must not keep it young for ever */
  function sightingIn(seen: Map<string, Sighting>, key: string): string | undefined {
    const at = seen.get(key)?.at
    return at !== undefined && Date.parse(at) <= clock.now() ? at : undefined
  }

  async function add(key: string): Promise<string> {
    const seen = await read()
    const before = sightingIn(seen, key)
    if (before !== undefined) return before
    const at = new Date(clock.now()).toISOString()
    seen.set(key, { at })
    await replaceFile(path, `${JSON.stringify(Object.fromEntries([...seen].sort()), null, 1)}\n`)
    return at
  }

  return {
    async note(name, version, integrity) {
      const key = `${name}@${version} ${integrity}`
      const before = sightingIn(await read(), key)
      if (before !== undefined) return before
      await mkdir(dirname(path), { recursive: true })
      return alone(() => add(key))
    },
  }
}
