import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { BuiltPlugin } from '../../build-plugin.ts'
import { toTarball } from '../../fetch/tarball.ts'
import { toCycloneDx } from '../../plan/cyclone-dx.ts'
import type { PackageFile } from '../../trust/candidate.ts'
import {
  type ConformanceReport,
  problemOfReport,
  reportFile,
} from '../../trust/conformance-report.ts'
import type { SigningKey } from '../../trust/signing-key.ts'
import { signatureFile, signPackage } from '../../trust/vendor-signature.ts'
import { buildFiles } from './build-files.ts'
import { fromNodeModules } from './from-node-modules.ts'
import { type PackedFiles, packedFiles, sbomFile } from './packed-files.ts'
import { writeTarball } from './write-tarball.ts'

export interface PackRequest {
  folder: string
  key: SigningKey
  /** Where the tarball is put; the present folder when absent. */
  into?: string
  /** Ids of the only sites that it is signed for; everybody when absent. */
  sites?: string[]
}

export interface PackedPlugin {
  name: string
  version: string
  /** Absolute. */
  file: string
  /** SHA-512 of the tarball, in the form of subresource integrity. */
  integrity: string
  /** SHA-256 of the bundle that a site makes of it, with the same versions of its dependencies. */
  bundleHash: string
  files: string[]
}

/**
 * Makes the tarball that is published: what npm would pack, a bill of materials, the conformance report where there is
 * one, and a signature over every file. The same files and key give the same bytes. Nothing is written unless a site could install it.
 * @throws configuration_error as an installation would, and for a report that is not about this bundle
 */
export async function packPlugin({
  folder,
  key,
  into = '.',
  sites,
}: PackRequest): Promise<PackedPlugin> {
  const root = resolve(folder)
  const files = await packedFiles(root)
  const built = await buildFiles(files, root, fromNodeModules(root))
  const { name, version, hash } = built.plugin
  files.set(sbomFile, toJson(sbomOf(built)))
  const report = await readOwnReport(root, built)
  if (report) files.set(reportFile, report)
  const signature = signPackage({ name, version, files: digestsOf(files) }, key, sites)
  files.set(signatureFile, toJson(signature))
  const bytes = writeTarball(files)
  const file = resolve(into, tarballName(name, version))
  await writeFile(file, bytes)
  const { integrity } = toTarball(bytes)
  return { name, version, file, integrity, bundleHash: hash, files: [...files.keys()].sort() }
}

/** Whoever signed it, it has to be about what is packed. */
async function readOwnReport(root: string, { plugin }: BuiltPlugin): Promise<Buffer | undefined> {
  const content = await readFile(join(root, reportFile)).catch(() => undefined)
  if (!content) return undefined
  const problem = problemOfReportText(content.toString('utf8'), plugin)
  if (problem === undefined) return content
  const remedy = `test it again: fogbow-plugin test --report ${reportFile} --key FILE; or remove that file`
  throw new FogbowError('configuration_error', `${reportFile}: ${problem}; ${remedy}`)
}

/** What is wrong with the text of a report that is to be about this bundle; nobody asks here who signed it. */
export function problemOfReportText(
  text: string,
  plugin: Pick<BuiltPlugin['plugin'], 'name' | 'version' | 'hash'>,
): string | undefined {
  try {
    const { signed } = JSON.parse(text) as { signed: ConformanceReport }
    return problemOfReport(signed, plugin)
  } catch (error) {
    return `it is no report (${(error as Error).message})`
  }
}

/** Of a package that cannot say its own integrity, since it is part of it. */
export function sbomOf({ plugin, candidate }: Pick<BuiltPlugin, 'plugin' | 'candidate'>) {
  const { integrity: _, ...known } = plugin
  // What a registry would say of its parts is the registry's to say.
  const components = candidate.components.map(({ integrity: __, ...component }) => component)
  return toCycloneDx({ ...known, components })
}

export function digestsOf(files: PackedFiles): PackageFile[] {
  return [...files].map(([path, content]) => ({
    path,
    sha256: createHash('sha256').update(content).digest('hex'),
  }))
}

/** As npm names it. */
export function tarballName(name: string, version: string): string {
  return `${name.replace(/^@/, '').replace('/', '-')}-${version}.tgz`
}

function toJson(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`)
}
