import { chmod, mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { usage } from '../exit.ts'
import type { SetUpFile } from './set-up.ts'

/** @throws CommandError before anything is written, when one of the files is there and `force` is not set */
export async function assertFree(
  folder: string,
  names: readonly string[],
  force: boolean,
): Promise<void> {
  if (force) return
  const there = new Set(await namesIn(folder))
  const taken = names.filter((name) => there.has(name))
  if (taken.length > 0)
    throw usage(
      `${folder} has ${taken.join(', ')} already, which may have been changed by hand`,
      'give another folder with --out, or write over them with --force',
    )
}

export async function writeFolder(folder: string, files: readonly SetUpFile[]): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const file of files) await writeWhole(join(folder, file.name), file)
}

/** The mode holds from the first byte on. */
async function writeWhole(path: string, { text, secret }: SetUpFile): Promise<void> {
  const mode = secret ? 0o600 : 0o644
  const draft = `${path}.${process.pid}`
  await writeFile(draft, text, { mode, flag: 'wx' })
  await chmod(draft, mode)
  await rename(draft, path)
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
