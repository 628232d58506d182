import { join } from 'node:path'
import type { Places } from './places.ts'

/** Of every process: nothing of the caller's own account at some cloud, and the drivers of this folder. */
export function environment(places: Pick<Places, 'folder'>): Record<string, string> {
  return {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C.UTF-8',
    HOME: places.folder,
    PYTHONPATH: join(places.folder, 'python'),
  }
}
