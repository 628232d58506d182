import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { FogbowError, invalid, pluginKinds } from '@fogbow/plugin-sdk'
import { pluginFiles } from './template/plugin-files.ts'

export interface CreateRequest {
  /** Of the npm package. */
  name: string
  /** What it offers; the smallest set that a user can order something from when absent. */
  kinds?: readonly string[]
  /** Where it is written; the last part of the name when absent. */
  folder?: string
}

export interface CreatedPlugin {
  /** Absolute. */
  folder: string
  files: string[]
}

export const defaultKinds: readonly string[] = ['compute', 'image', 'spec', 'quota']
/** Every plugin offers it: administrators test a connection before they let it in. */
const ALWAYS = 'health'

const PACKAGE_NAME = /^(?:@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/
const LONGEST_NAME = 214

/**
 * Writes a small plugin that works into a new or empty folder.
 * @throws invalid_parameter naming what cannot be used; nothing is written then
 */
export async function createPlugin(request: CreateRequest): Promise<CreatedPlugin> {
  const { name, kinds = defaultKinds } = request
  checkName(name)
  checkKinds(kinds)
  const folder = resolve(request.folder ?? name.split('/').at(-1) ?? name)
  await checkEmpty(folder)
  const files = pluginFiles({ name, kinds: [...new Set([...kinds, ALWAYS])] })
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text, { flag: 'wx' })
  }
  return { folder, files: [...files.keys()] }
}

function checkName(name: string): void {
  if (name.length <= LONGEST_NAME && PACKAGE_NAME.test(name)) return
  throw invalid('name', `'${name}' is no npm name; write lower case, such as @vendor/acme-cloud`)
}

function checkKinds(kinds: readonly string[]): void {
  const unknown = kinds.find((kind) => !pluginKinds.includes(kind))
  if (unknown !== undefined)
    throw invalid('kind', `there is no '${unknown}'; kinds are ${pluginKinds.join(', ')}`)
  if (kinds.length === 0) throw invalid('kind', 'at least one is needed')
}

async function checkEmpty(folder: string): Promise<void> {
  const present = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new FogbowError('invalid_parameter', `Folder ${folder}: ${error.message}`)
  })
  if (present.length > 0)
    throw invalid('folder', `${folder} is not empty; name another one with --folder`)
}
