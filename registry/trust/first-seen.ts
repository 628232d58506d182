import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '@fogbow/plugin-sdk'
import { replaceFile } from '../installed/durable-file.ts'

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
  let writing: Promise<unknown> = Promise.resolve()

  async function read(): Promise<Map<string, Sighting>> {
    const text = await readFile(path, 'utf8').catch(() => '{}')
    try {
      const entries = Object.entries(JSON.parse(text) as Record<string, Sighting>)
      return new Map(entries.filter(([, { at }]) => Number.isFinite(Date.parse(at))))
    } catch {
      return new Map()
    }
  }

  async function note(key: string): Promise<string> {
    const now = clock.now()
    const seen = await read()
    const before = seen.get(key)
    // A clock that was ahead for a while must not keep a version young for ever.
    if (before && Date.parse(before.at) <= now) return before.at
    const at = new Date(now).toISOString()
    seen.set(key, { at })
    await mkdir(dirname(path), { recursive: true })
    await replaceFile(path, `${JSON.stringify(Object.fromEntries([...seen].sort()), null, 1)}\n`)
    return at
  }

  return {
    note(name, version, integrity) {
      const answer = writing.then(() => note(`${name}@${version} ${integrity}`))
      writing = answer.catch(() => {})
      return answer
    },
  }
}
