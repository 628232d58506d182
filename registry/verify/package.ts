import { readFile, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { manifestSchema, type PluginManifest } from '@fogbow/plugin-sdk'
import { parseNetworkRequest } from '@fogbow/plugin-sdk/network'
import { joinPath, validatorFor } from '@fogbow/plugin-sdk/validate'
import type { VendorSchemas } from '@fogbow/sandbox/gate'
import { valid, validRange } from 'semver'
import { isPackageName } from '../fetch/package-name.ts'
import { refusal } from '../refusal.ts'
import { suitsSdk, unsuitability } from './suits.ts'

/** What the `package.json` of a plugin says, as far as the site needs it. */
export interface PluginPackage {
  name: string
  version: string
  description: string
  license: string
  manifest: PluginManifest
  /** Scripts that npm would run at installation, and that are not run here. */
  installScripts: string[]
}

export interface PackageCheck {
  /** Names the package in messages until its own name is known. */
  origin: string
  sdkVersion: string
  schemas: Pick<VendorSchemas, 'check'>
}

const MAX_PACKAGE_JSON_BYTES = 1024 * 1024

/**
 * Reads and checks the `package.json` of an unpacked plugin.
 * @throws configuration_error naming package, file and key
 */
export async function readPackage(
  folder: string,
  { origin, sdkVersion, schemas }: PackageCheck,
): Promise<PluginPackage> {
  const fields = await readFields(folder, origin)
  const { name, version } = identify(fields, origin)
  const manifest = checkManifest(fields.fogbow, name)
  checkSdkRange(manifest, name, sdkVersion)
  const problem = await configProblem(manifest, schemas)
  if (problem) throw wrong(name, problem.key, problem.message)
  await checkEntry(folder, manifest, name)
  return {
    name,
    version,
    description: text(fields.description),
    license: text(fields.license) || 'not stated',
    manifest,
    installScripts: installScripts(fields.scripts),
  }
}

async function readFields(folder: string, origin: string): Promise<Record<string, unknown>> {
  const path = join(folder, 'package.json')
  const found = await stat(path).catch(() => undefined)
  if (!found?.isFile()) throw refusal(origin, 'package.json is missing')
  if (found.size > MAX_PACKAGE_JSON_BYTES) {
    throw refusal(origin, `package.json is larger than ${MAX_PACKAGE_JSON_BYTES} bytes`)
  }
  const fields = parseObject(await readFile(path, 'utf8'))
  if (typeof fields === 'string') throw refusal(origin, `package.json ${fields}`)
  return fields
}

function parseObject(json: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>
    }
    return 'must be a JSON object'
  } catch (error) {
    return `is no JSON: ${(error as Error).message}`
  }
}

function identify({ name, version }: Record<string, unknown>, origin: string) {
  if (!isPackageName(name)) throw wrong(origin, 'name', 'must be the name of an npm package')
  if (typeof version !== 'string' || valid(version) !== version) {
    throw wrong(name, 'version', 'must be a version such as 1.2.3')
  }
  return { name, version }
}

function checkManifest(block: unknown, name: string): PluginManifest {
  if (block === undefined) throw wrong(name, 'fogbow', 'is required to make the package a plugin')
  const problem = validatorFor(manifestSchema)(block)
  if (problem) throw wrong(name, joinPath('fogbow', problem.field), problem.message)
  return block as PluginManifest
}

function checkSdkRange({ sdk, contracts }: PluginManifest, name: string, sdkVersion: string): void {
  if (validRange(sdk) === null) {
    throw wrong(name, 'fogbow.sdk', `'${sdk}' must be a version range such as ^0.1.0`)
  }
  if (!suitsSdk(sdk, sdkVersion)) {
    throw wrong(name, 'fogbow.sdk', `asks for SDK ${sdk}, but this site has ${sdkVersion}`)
  }
  const problem = unsuitability({ contracts }, sdkVersion)
  if (problem) throw wrong(name, 'fogbow.contracts', `cannot be met: ${problem}`)
}

async function configProblem(
  { config, capabilities }: PluginManifest,
  schemas: PackageCheck['schemas'],
) {
  if (config) {
    const problem = await schemas.check(config)
    if (problem) return { key: joinPath('fogbow.config', problem.key), message: problem.message }
  }
  for (const [index, host] of (capabilities?.network ?? []).entries()) {
    const request = parseNetworkRequest(host)
    if (typeof request === 'string')
      return { key: `fogbow.capabilities.network[${index}]`, message: `'${host}': ${request}` }
    for (const [, key = ''] of host.matchAll(/\{config\.([^.}]+)/g)) {
      if (Object.hasOwn(propertiesOf(config), key)) continue
      const message = `'${host}' names config.${key}, which fogbow.config.properties does not have`
      return { key: `fogbow.capabilities.network[${index}]`, message }
    }
  }
  return undefined
}

function propertiesOf(config: object | undefined): object {
  const properties: unknown = config && 'properties' in config ? config.properties : undefined
  return typeof properties === 'object' && properties !== null ? properties : {}
}

async function checkEntry(folder: string, { entry }: PluginManifest, name: string): Promise<void> {
  const root = await realpath(folder)
  const path = await realpath(join(root, entry)).catch(() => undefined)
  if (!path) throw wrong(name, 'fogbow.entry', `'${entry}' does not exist in the package`)
  if (!path.startsWith(root + sep)) {
    throw wrong(name, 'fogbow.entry', `'${entry}' lies outside the package`)
  }
  if (!(await stat(path)).isFile()) throw wrong(name, 'fogbow.entry', `'${entry}' is not a file`)
}

function installScripts(scripts: unknown): string[] {
  if (typeof scripts !== 'object' || scripts === null) return []
  return ['preinstall', 'install', 'postinstall', 'prepare'].filter((name) => name in scripts)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 1024) : ''
}

function wrong(name: string, key: string, problem: string) {
  return refusal(name, `package.json: ${key} ${problem}`)
}
