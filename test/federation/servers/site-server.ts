import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Authority, Certificate } from './certificates.ts'

/** What both kinds of server need to know. */
export interface SiteServerOptions {
  readonly domain: string
  /** Loopback address of the site, see `loopbackAddress`. */
  readonly address: string
  /** JID of each component, under the domain, and its secret. */
  readonly components: Readonly<Record<string, string>>
  readonly authority: Authority
  /** Its own certificate; one of the authority if left out. */
  readonly certificate?: Certificate
  /** Names of other sites' components, and their addresses. There is no DNS: what is not here is not found. */
  readonly names?: Readonly<Record<string, string>>
  /** Bytes; of what comes from components and from other servers. */
  readonly stanzaSizeLimit?: number
}

export const STANZA_SIZE_LIMIT = 1_048_576

export interface SiteFiles {
  readonly key: string
  readonly certificate: string
  readonly authority: string
  readonly hosts: string
}

export function writeSiteFiles(folder: string, options: SiteServerOptions): SiteFiles {
  const files = {
    key: join(folder, 'site.key'),
    certificate: join(folder, 'site.pem'),
    authority: join(folder, 'ca.pem'),
    hosts: join(folder, 'hosts'),
  }
  const own = options.certificate ?? options.authority.issue(options.domain)
  copyFileSync(own.key, files.key)
  copyFileSync(own.certificate, files.certificate)
  copyFileSync(options.authority.certificate, files.authority)
  const names = { localhost: '127.0.0.1', ...options.names }
  writeFileSync(
    files.hosts,
    Object.entries(names)
      .map(([name, address]) => `${address} ${name}\n`)
      .join(''),
  )
  return files
}
