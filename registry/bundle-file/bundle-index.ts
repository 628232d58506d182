import { FogbowError, schema, type TypeOf } from '@fogbow/plugin-sdk'
import { joinPath, validatorFor } from '@fogbow/plugin-sdk/validate'

/** First entry of a bundle file: what is in it. */
export const indexName = 'fogbow-bundle.json'

const text = { type: 'string', maxLength: 1024 } as const
const integrity = { type: 'string', pattern: '^sha512-[A-Za-z0-9+/]{86}==$' } as const

export const bundleIndexSchema = schema({
  type: 'object',
  additionalProperties: false,
  required: ['formatVersion', 'createdAt', 'packages'],
  properties: {
    formatVersion: { const: 1 },
    createdAt: text,
    packages: {
      type: 'array',
      minItems: 1,
      maxItems: 1024,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'version', 'integrity', 'dependencies', 'registrySignatures'],
        properties: {
          name: { ...text, maxLength: 214 },
          version: text,
          integrity,
          registry: text,
          publishedAt: text,
          registrySignatures: {
            type: 'array',
            maxItems: 16,
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['keyid', 'sig'],
              properties: { keyid: text, sig: text },
            },
          },
          attestations: { type: 'array', maxItems: 16 },
          dependencies: {
            type: 'array',
            maxItems: 10_000,
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['specifier', 'name', 'version', 'integrity'],
              properties: {
                specifier: { ...text, description: 'As it was asked for: name and range' },
                name: text,
                version: text,
                integrity,
              },
            },
          },
        },
      },
    },
  },
})

export type BundleIndex = TypeOf<typeof bundleIndexSchema>
export type BundledPackage = BundleIndex['packages'][number]

/** @throws configuration_error naming file and key */
export function parseIndex(file: string, bytes: Buffer): BundleIndex {
  let content: unknown
  try {
    content = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw unusable(file, `${indexName} is no JSON: ${(error as Error).message}`)
  }
  const problem = validatorFor(bundleIndexSchema)(content)
  if (problem)
    throw unusable(file, `${indexName}: ${joinPath('', problem.field)} ${problem.message}`)
  return content as BundleIndex
}

/** Name of a tarball in the file: as much of its SHA-512 as one tar header has room for. */
export function tarballName(tarballIntegrity: string): string {
  const digest = Buffer.from(tarballIntegrity.replace(/^sha512-/, ''), 'base64')
  return `tarballs/${digest.toString('hex').slice(0, 64)}.tgz`
}

export function unusable(file: string, problem: string): FogbowError {
  const message = `Bundle file '${file}' cannot be used: ${problem}; make it anew with: fogbow plugin bundle`
  return new FogbowError('configuration_error', message)
}
