import type { Component } from '../marketplace.ts'
import type { InstalledPlugin } from '../registry.ts'

/** A bill of materials, CycloneDX 1.6 (ECMA-424), as far as it is used here. */
export interface CycloneDx {
  bomFormat: 'CycloneDX'
  specVersion: '1.6'
  version: 1
  metadata: { component: CycloneDxComponent }
  components: CycloneDxComponent[]
  dependencies: { ref: string; dependsOn: string[] }[]
}

interface CycloneDxComponent {
  type: 'application' | 'library'
  'bom-ref': string
  name: string
  group?: string
  version: string
  description?: string
  purl: string
  licenses?: [{ expression: string } | { license: { name: string } }]
  hashes?: { alg: 'SHA-512' | 'SHA-256'; content: string }[]
}

/** The plugin, and every package of which something went into its bundle; the same for the same plugin. */
export function toCycloneDx(
  plugin: Pick<
    InstalledPlugin,
    'name' | 'version' | 'description' | 'license' | 'hash' | 'integrity'
  > & { components: readonly Component[] },
): CycloneDx {
  const main = toComponent(plugin, 'application')
  const parts = plugin.components.map((component) => toComponent(component, 'library'))
  const unique = [...new Map(parts.map((part) => [part['bom-ref'], part])).values()]
  const hashes = [...(main.hashes ?? []), { alg: 'SHA-256' as const, content: plugin.hash }]
  const { description } = plugin
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { ...main, ...(description && { description }), hashes } },
    components: unique,
    // The bundle is one file: which of its parts asked for which other one is not kept.
    dependencies: [{ ref: main['bom-ref'], dependsOn: unique.map((part) => part['bom-ref']) }],
  }
}

function toComponent(
  { name, version, license, integrity }: Component,
  type: CycloneDxComponent['type'],
): CycloneDxComponent {
  const [group, bare] = name.startsWith('@') ? name.split('/') : [undefined, name]
  const purl = `pkg:npm/${group ? `${encodeURIComponent(group)}/` : ''}${bare}@${encodeURIComponent(version)}`
  return {
    type,
    'bom-ref': integrity === undefined ? purl : `${purl}#${integrity}`,
    name: bare ?? name,
    ...(group !== undefined && { group }),
    version,
    purl,
    ...(license !== 'not stated' && { licenses: [toLicense(license)] }),
    ...(integrity !== undefined && { hashes: [toHash(integrity)] }),
  }
}

/** What does not look like an SPDX expression is a name that somebody gave. */
function toLicense(license: string): { expression: string } | { license: { name: string } } {
  const isExpression = /^[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*$/.test(
    license.replaceAll(/[()]/g, ''),
  )
  return isExpression ? { expression: license } : { license: { name: license } }
}

function toHash(integrity: string): { alg: 'SHA-512'; content: string } {
  const digest = Buffer.from(integrity.replace(/^sha512-/, ''), 'base64')
  return { alg: 'SHA-512', content: digest.toString('hex') }
}
