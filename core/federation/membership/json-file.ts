import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** A small document that outlives the process. */
export interface JsonFile {
  /** @returns undefined when there is none yet. @throws when it cannot be read */
  read(): Promise<unknown>
  /** As a whole: a crash leaves the one before or the one after. Of what waits to be written only the newest is. */
  write(make: () => unknown): Promise<void>
}

export function openJsonFile(path: string): JsonFile {
  let last: Promise<void> = Promise.resolve()
  let waiting: Promise<void> | undefined

  async function writeNow(make: () => unknown): Promise<void> {
    waiting = undefined
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeFile(`${path}.new`, JSON.stringify(make()), { mode: 0o600, flush: true })
    await rename(`${path}.new`, path)
  }

  return {
    async read() {
      try {
        return JSON.parse(await readFile(path, 'utf8'))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    write(make) {
      if (!waiting) {
        waiting = last.then(() => writeNow(make))
        last = waiting.catch(() => {})
      }
      return waiting
    },
  }
}
