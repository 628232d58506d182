import { readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { BundleInput } from '@fogbow/sandbox/gate'
import type { Component } from '../marketplace.ts'

interface ComponentsOptions {
  /** Real path of the plugin's package. */
  folder: string
  /** Real paths of packages outside of it. */
  dependencies?: readonly string[]
  /** Of tarballs that were downloaded, by the folder that they were unpacked to. */
  integrities?: ReadonlyMap<string, string>
}

/** Every package, beside the plugin's own, of which at least one file went into the bundle; by name and version. */
export async function componentsOf(
  inputs: readonly BundleInput[],
  { folder, dependencies = [], integrities = new Map() }: ComponentsOptions,
): Promise<Component[]> {
  const folders = new Set(inputs.map(({ path }) => packageFolder(path, folder, dependencies)))
  folders.delete(undefined)
  folders.delete(folder)
  const found = await Promise.all(
    [...folders].map((at) => describe(at ?? '', integrities.get(at ?? ''))),
  )
  const unique = new Map(found.map((component) => [JSON.stringify(component), component]))
  return [...unique.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

function packageFolder(
  path: string,
  folder: string,
  dependencies: readonly string[],
): string | undefined {
  const roots = [folder, ...dependencies].filter((root) => path.startsWith(root + sep))
  const root = roots.sort((a, b) => b.length - a.length)[0]
  if (root === undefined) return undefined
  const below = path.slice(root.length).lastIndexOf(`${sep}node_modules${sep}`)
  if (below === -1) return root
  const start = root.length + below + '/node_modules/'.length
  const parts = path.slice(start).split(sep)
  const name = parts.slice(0, parts[0]?.startsWith('@') ? 2 : 1)
  return path.slice(0, start) + name.join(sep)
}

async function describe(folder: string, integrity: string | undefined): Promise<Component> {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '{}')
  const { name, version, license } = JSON.parse(text) as Record<string, unknown>
  return {
    name:
      typeof name === 'string' ? name : folder.split(`${sep}node_modules${sep}`).at(-1) || folder,
    version: typeof version === 'string' ? version : 'not stated',
    license: licenseOf(license),
    ...(integrity !== undefined && { integrity }),
  }
}

/** Old packages write `{type, url}`. */
function licenseOf(license: unknown): string {
  const text =
    typeof license === 'object' && license !== null && 'type' in license ? license.type : license
  return typeof text === 'string' && text !== '' ? text.slice(0, 255) : 'not stated'
}

function keyOf({ name, version, integrity = '' }: Component): string {
  return `${name} ${version} ${integrity}`
}
