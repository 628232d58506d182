import type { PluginManifest } from '@fogbow/plugin-sdk'
import type { Advisory, Component } from '../marketplace.ts'
import type { InstalledPlugin } from '../registry.ts'

/** The signature of an npm registry over name, version and integrity. */
export interface RegistrySignature {
  keyid: string
  /** ECDSA P-256 with SHA-256, base64. */
  sig: string
}

/** One file of an unpacked package. */
export interface PackageFile {
  /** Inside the package, with `/`. */
  path: string
  /** Lower-case hex. */
  sha256: string
}

/** One version of a package with all evidence that came with it; what is absent was not to be had. */
export interface Candidate {
  name: string
  version: string
  manifest: PluginManifest
  source: string
  sourceKind: InstalledPlugin['sourceKind']
  /** Comes with the site itself. */
  isBundled?: boolean
  /** Name of the registry. */
  registry?: string
  /** SHA-512 of the tarball, in the form of subresource integrity. */
  integrity?: string
  /** As the registry announced it before the tarball arrived. */
  announcedIntegrity?: string
  /** SHA-256 of the bundle. */
  hash: string
  license: string
  /** As the registry says; mirrors stamp anew. */
  publishedAt?: string
  /** By the clock of this site. */
  firstSeenAt?: string
  registrySignatures?: readonly RegistrySignature[]
  /** Sigstore bundles, as they came from the registry or a catalogue. */
  attestations?: readonly unknown[]
  files: readonly PackageFile[]
  /** Content of `fogbow.signature.json`. */
  vendorSignature?: unknown
  /** Content of `fogbow.conformance-report.json`. */
  conformanceReport?: unknown
  components: readonly Component[]
  advisories: readonly Advisory[]
}
