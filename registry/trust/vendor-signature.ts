import { schema } from '@fogbow/plugin-sdk'
import { joinPath, validatorFor } from '@fogbow/plugin-sdk/validate'
import type { PackageFile } from './candidate.ts'
import { canonicalJson } from './canonical-json.ts'
import type { SigningKey, VerifyingKey } from './signing-key.ts'

/** Name of the file in a package; it lists every other one. */
export const signatureFile = 'fogbow.signature.json'

/**
 * What a publisher puts into a package: the SHA-256 of each file, and an Ed25519 signature over the canonical JSON
 * (RFC 8785) of everything but the signature.
 */
export interface VendorSignature {
  formatVersion: 1
  name: string
  version: string
  keyId: string
  files: Record<string, string>
  /** Site ids that it was made for; absent: for everybody. */
  sites?: string[]
  signature: string
}

const vendorSignatureSchema = schema({
  type: 'object',
  additionalProperties: false,
  required: ['formatVersion', 'name', 'version', 'keyId', 'files', 'signature'],
  properties: {
    formatVersion: { const: 1 },
    name: { type: 'string', maxLength: 214 },
    version: { type: 'string', maxLength: 256 },
    keyId: { type: 'string', maxLength: 64 },
    files: {
      type: 'object',
      maxProperties: 10_000,
      additionalProperties: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    },
    sites: { type: 'array', maxItems: 4096, items: { type: 'string', maxLength: 255 } },
    signature: { type: 'string', maxLength: 128 },
  },
})

export interface SignedPackage {
  name: string
  version: string
  files: readonly PackageFile[]
}

export function signPackage(
  { name, version, files }: SignedPackage,
  key: SigningKey,
  sites?: string[],
): VendorSignature {
  const listed = files.filter(({ path }) => path !== signatureFile)
  const unsigned = {
    formatVersion: 1 as const,
    name,
    version,
    keyId: key.keyId,
    files: Object.fromEntries(listed.map(({ path, sha256 }) => [path, sha256])),
    ...(sites && { sites }),
  }
  return { ...unsigned, signature: key.sign(canonicalJson(unsigned)) }
}

/** What is wrong with a signature that is there; undefined when one of the keys has signed exactly these files. */
export function problemOfVendorSignature(
  written: unknown,
  { name, version, files }: SignedPackage,
  keys: readonly VerifyingKey[],
  siteId: string,
): string | undefined {
  const problem = validatorFor(vendorSignatureSchema)(written)
  if (problem) return `${joinPath(signatureFile, problem.field)} ${problem.message}`
  const { signature, ...unsigned } = written as VendorSignature
  const key = keys.find(({ keyId }) => keyId === unsigned.keyId)
  if (!key) return `it is signed by key '${unsigned.keyId}', which is not one of the publisher`
  if (!key.verifies(canonicalJson(unsigned), signature)) return 'its signature is forged'
  if (unsigned.name !== name || unsigned.version !== version)
    return `its signature is that of ${unsigned.name}@${unsigned.version}`
  if (unsigned.sites && !unsigned.sites.includes(siteId))
    return `it was signed for other sites: ${unsigned.sites.slice(0, 5).join(', ')}`
  return problemOfFiles(unsigned.files, files)
}

function problemOfFiles(
  signed: Record<string, string>,
  files: readonly PackageFile[],
): string | undefined {
  const present = files.filter(({ path }) => path !== signatureFile)
  const changed = present.find(
    ({ path, sha256 }) => !Object.hasOwn(signed, path) || signed[path] !== sha256,
  )
  if (changed) {
    const what = Object.hasOwn(signed, changed.path) ? 'was changed' : 'was added'
    return `file '${changed.path}' ${what} after it was signed`
  }
  const paths = new Set(present.map(({ path }) => path))
  const gone = Object.keys(signed).find((path) => !paths.has(path))
  return gone === undefined ? undefined : `file '${gone}' was signed and is missing`
}
