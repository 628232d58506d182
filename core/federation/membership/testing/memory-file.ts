import type { JsonFile } from '../json-file.ts'

/** A document in this process: what a test keeps over the restart of what wrote it. */
export interface MemoryFile extends JsonFile {
  content: string | undefined
  writes: number
}

export function createMemoryFile(): MemoryFile {
  return {
    content: undefined,
    writes: 0,
    async read() {
      return this.content === undefined ? undefined : JSON.parse(this.content)
    },
    async write(make) {
      this.content = JSON.stringify(make())
      this.writes += 1
    },
  }
}
