import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export interface Reference {
  url: string
  stop(): void
}

/** Starts one of the bare servers of this folder as a process of its own. */
export async function startReference(file: string, argument: string): Promise<Reference> {
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, file), argument], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (!child.stdout) throw new Error(`${file} has no output`)
  const [line] = await once(child.stdout, 'data')
  return { url: String(line).trim().split(' ').at(-1) ?? '', stop: () => child.kill() }
}
