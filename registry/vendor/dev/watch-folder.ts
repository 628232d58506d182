import { watch } from 'node:fs'

export interface FolderWatch {
  close(): void
}

const QUIET_MS = 150
const ignored = /(^|[/\\])(node_modules|\.git)([/\\]|$)|~$|\.(tgz|swp|tmp)$/

/** Calls once things have been quiet for a moment after something in a folder changed; never while a call is under way. */
export function watchFolder(folder: string, onChange: () => Promise<void>): FolderWatch {
  let timer: NodeJS.Timeout | undefined
  let running = false
  let again = false

  const run = async () => {
    if (running) {
      again = true
      return
    }
    running = true
    try {
      do {
        again = false
        await onChange()
      } while (again)
    } finally {
      running = false
    }
  }
  const watcher = watch(folder, { recursive: true }, (_event, name) => {
    if (name === null || ignored.test(name)) return
    clearTimeout(timer)
    timer = setTimeout(() => void run(), QUIET_MS)
  })
  // A folder that goes away is noticed by whoever reads it next.
  watcher.on('error', () => {})
  return {
    close() {
      clearTimeout(timer)
      watcher.close()
    },
  }
}
