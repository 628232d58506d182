import { mkdtemp, readFile, realpath, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { FogbowError } from '@fogbow/plugin-sdk'
import { createVendorSchemas, type SchemaProblem, type VendorSchemas } from '@fogbow/sandbox/gate'
import type { BuiltPlugin } from '../../build-plugin.ts'
import { type DependencySource, fromRegistries } from '../../fetch/dependency-source.ts'
import { readNpmrc } from '../../fetch/npmrc.ts'
import { offeredVersions } from '../../fetch/offered-versions.ts'
import { createPackageRegistries, type PackageRegistries } from '../../fetch/registries.ts'
import { type NpmOptions, readTarball } from '../../fetch/tarball.ts'
import { unpack, unpackBudget } from '../../fetch/unpack.ts'
import type { VerifyingKey } from '../../trust/signing-key.ts'
import {
  CONFORMANCE_FILE,
  type ConformanceFile,
  readConformanceFile,
} from '../conformance/plugin-package.ts'
import { buildFiles } from '../pack/build-files.ts'
import { fromNodeModules } from '../pack/from-node-modules.ts'
import { allFiles, type PackedFiles, packedFiles } from '../pack/packed-files.ts'

export interface SubjectOptions {
  /** Whose signature is expected on a tarball. */
  key?: VerifyingKey
  /** Nothing is asked of a registry. */
  offline?: boolean
  /** For the npm registry client, such as `registry`; npm's own settings when absent. */
  npm?: NpmOptions
}

/** A package that is looked at, before and after it was packed. */
export interface Subject {
  /** As it was named. */
  origin: string
  isTarball: boolean
  /** What is, or would be, inside the package. */
  files: PackedFiles
  /** `package.json`; empty when it is none. */
  fields: Record<string, unknown>
  /** The `fogbow` block; empty when there is none. */
  manifest: Record<string, unknown>
  key: VerifyingKey | undefined
  /** Text of a file of the package. */
  text(path: string): string | undefined
  /** What is wrong with the configuration schema. */
  configProblem(): Promise<SchemaProblem | undefined>
  /** What a site would make of it. @throws FogbowError as an installation would */
  build(): Promise<BuiltPlugin>
  /** The same of the whole folder, whether packed or not; undefined for a tarball. */
  buildOfFolder(): Promise<BuiltPlugin | undefined>
  /** With what it is tried. */
  conformance(): Promise<ConformanceFile>
  complete: VendorSchemas['complete']
  /** @returns why it cannot be said, when no registry answers */
  publishedVersions(): Promise<string[] | { skip: string }>
  close(): Promise<void>
}

/**
 * @param source - folder, or tarball
 * @throws FogbowError when there is neither, or nothing of it can be read
 */
export async function openSubject(source: string, options: SubjectOptions = {}): Promise<Subject> {
  const path = resolve(source)
  const found = await stat(path).catch(() => undefined)
  if (!found) throw new FogbowError('invalid_parameter', `There is no '${source}'`)
  const isTarball = found.isFile()
  const files = isTarball ? await filesOfTarball(path) : await packedFiles(path)
  const fields = parseObject(files.get('package.json')?.toString('utf8'))
  const schemas = createVendorSchemas()
  const registries = once(async () => registriesOf(options))
  const dependencies: () => Promise<DependencySource> = once(async () =>
    isTarball ? fromInstallation(options, registries) : fromNodeModules(path),
  )

  const subject: Subject = {
    origin: source,
    isTarball,
    files,
    fields,
    manifest: toObject(fields.fogbow),
    key: options.key,
    text: (name) => files.get(name)?.toString('utf8'),
    configProblem: once(async () =>
      'config' in subject.manifest ? schemas.check(toObject(subject.manifest.config)) : undefined,
    ),
    build: once(async () => buildFiles(files, source, await dependencies(), schemas)),
    buildOfFolder: once(async () =>
      isTarball
        ? undefined
        : buildFiles(await allFiles(path), source, await dependencies(), schemas),
    ),
    conformance: once(async () =>
      isTarball ? parseObject(subject.text(CONFORMANCE_FILE)) : readConformanceFile(path),
    ),
    complete: schemas.complete,
    publishedVersions: once(() => publishedVersions(subject, options, registries)),
    close: () => schemas.close(),
  }
  return subject
}

/** As a site unpacks it: what it refuses is refused here. */
async function filesOfTarball(path: string): Promise<PackedFiles> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'fogbow-validate-')))
  try {
    const { bytes } = await readTarball(path)
    const unpacked = await unpack(bytes, folder, { origin: path, budget: unpackBudget() })
    const read = unpacked.map(
      async (file): Promise<[string, Buffer]> => [
        file.path,
        await readFile(join(folder, file.path)),
      ],
    )
    return new Map(await Promise.all(read))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A registry that nobody can reach is not waited for. */
const IMPATIENT: NpmOptions = { timeout: 5_000, fetchRetries: 0, deadlineMs: 10_000 }

async function registriesOf({ npm }: SubjectOptions): Promise<PackageRegistries> {
  return createPackageRegistries({ ...(npm ?? (await readNpmrc(process.env))), ...IMPATIENT })
}

function fromInstallation(
  { offline }: SubjectOptions,
  registries: () => Promise<PackageRegistries>,
): DependencySource {
  return {
    async fetch(specifier) {
      if (!offline) return fromRegistries(await registries()).fetch(specifier)
      const problem = `'${specifier}' is not packed along, and --offline keeps it from being fetched`
      throw new FogbowError('unavailable_provider', problem)
    },
  }
}

async function publishedVersions(
  { fields }: Subject,
  { offline }: SubjectOptions,
  registries: () => Promise<PackageRegistries>,
): Promise<string[] | { skip: string }> {
  if (offline) return { skip: 'no registry was asked (--offline)' }
  try {
    const offered = await offeredVersions(`${String(fields.name)}@*`, await registries())
    return offered.map(({ version }) => version)
  } catch (error) {
    const { code, message } = error as FogbowError
    return code === 'invalid_parameter' ? [] : { skip: `no registry answered: ${message}` }
  }
}

function parseObject(text: string | undefined): Record<string, unknown> {
  try {
    return toObject(JSON.parse(text ?? ''))
  } catch {
    return {}
  }
}

export function toObject(value: unknown): Record<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Record<string, unknown>) : {}
}

/** The first answer, or the first failure, for everybody who asks. */
function once<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let answer: Promise<Answer> | undefined
  return () => {
    answer ??= ask()
    return answer
  }
}
