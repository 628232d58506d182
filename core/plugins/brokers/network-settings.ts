import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { NetworkConfig } from '../../config/index.ts'
import type { SecretReader } from './broker.ts'

/** How one plugin gets to the network: what the site says, and what is said for that plugin. */
export interface NetworkSettings {
  proxy?: ProxySettings
  noProxy: readonly string[]
  /** PEM, to be trusted beside the usual ones. */
  authorities: readonly string[]
  dnsServers: readonly string[]
  limits: NetworkLimits
}

export interface ProxySettings {
  host: string
  port: number
  secure: boolean
  /** `user:password` */
  credentials?: string
}

export interface NetworkLimits {
  parallelRequests: number
  /** Requests that wait for others to end. */
  waitingRequests: number
  connections: number
  answerBytes: number
  uploadBytes: number
  /** From one connection to the next: name, TCP, proxy and TLS together. */
  connectMs: number
  headersMs: number
  idleMs: number
  totalMs: number
  connectionIdleMs: number
  /** How long an unused connection waits for the next request. */
  keepAliveMs: number
  /** Headers of a request, and of an answer. */
  headerBytes: number
}

export interface SettingsSource {
  plugin: string
  site: NetworkConfig
  own: NetworkConfig
  /** To which relative paths refer. */
  folder: string
  /** Reference as written → the one to read. */
  resolveReference(reference: string): string
  readSecret: SecretReader
}

const MIB = 1_048_576
const MOST_CA_BYTES = 4 * MIB

/** @throws configuration_error naming the key of what cannot be read */
export async function readNetworkSettings(source: SettingsSource): Promise<NetworkSettings> {
  const { site, own, plugin } = source
  const ownRoot = `plugins.${plugin}.network`
  const authorities = [
    ...(await readAuthorities(site.caFiles ?? [], 'network', source.folder)),
    ...(await readAuthorities(own.caFiles ?? [], ownRoot, source.folder)),
  ]
  const proxy = await readProxy(source)
  return {
    ...(proxy && { proxy }),
    noProxy: own.noProxy ?? site.noProxy ?? [],
    authorities,
    dnsServers: own.dnsServers ?? site.dnsServers ?? [],
    limits: toLimits({ ...site, ...own }),
  }
}

export function toLimits(config: NetworkConfig): NetworkLimits {
  return {
    parallelRequests: config.parallelRequests ?? 32,
    waitingRequests: 256,
    connections: config.connections ?? 32,
    answerBytes: (config.answerMiB ?? 256) * MIB,
    uploadBytes: (config.uploadMiB ?? 256) * MIB,
    connectMs: 10_000,
    headersMs: config.headersMs ?? 30_000,
    idleMs: config.idleMs ?? 60_000,
    totalMs: config.totalMs ?? 600_000,
    connectionIdleMs: config.connectionIdleMs ?? 600_000,
    keepAliveMs: 4_000,
    headerBytes: 65_536,
  }
}

/** A plugin's own proxy comes with its own credentials: those of the site are for the site's. */
async function readProxy(source: SettingsSource): Promise<ProxySettings | undefined> {
  const [root, { proxy, proxyCredentials }] = source.own.proxy
    ? [`plugins.${source.plugin}.network`, source.own]
    : ['network', source.site]
  if (!proxy || proxy === 'none') return undefined
  if (!URL.canParse(proxy))
    throw wrong(`${root}.proxy`, 'must be a URL such as http://proxy.example:3128')
  const url = new URL(proxy)
  const secure = url.protocol === 'https:'
  const credentials =
    proxyCredentials &&
    (await source.readSecret(source.resolveReference(proxyCredentials), `${root}.proxyCredentials`))
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port ? Number(url.port) : secure ? 443 : 80,
    secure,
    ...(credentials && { credentials }),
  }
}

async function readAuthorities(
  files: readonly string[],
  root: string,
  folder: string,
): Promise<string[]> {
  const certificates: string[] = []
  for (const [index, file] of files.entries()) {
    const key = `${root}.caFiles[${index}]`
    const text = await readFile(resolve(folder, file), 'utf8').catch((cause) => {
      throw wrong(key, `cannot read ${file}: ${cause.code}`, cause)
    })
    certificates.push(...toCertificates(text, key, file))
  }
  return certificates
}

function toCertificates(text: string, key: string, file: string): string[] {
  const blocks = text
    .slice(0, MOST_CA_BYTES)
    .match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
  if (!blocks) throw wrong(key, `${file} holds no PEM certificate`)
  for (const [index, block] of blocks.entries()) {
    try {
      new X509Certificate(block)
    } catch (cause) {
      throw wrong(key, `certificate ${index + 1} of ${file} cannot be read`, cause)
    }
  }
  return blocks
}

function wrong(key: string, problem: string, cause?: unknown): FogbowError {
  return new FogbowError('configuration_error', `${key}: ${problem}`, {
    details: { field: key },
    cause,
  })
}
