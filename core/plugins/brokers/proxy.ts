import { request } from 'node:http'
import { isIP, type Socket } from 'node:net'
import { FogbowError } from '@fogbow/plugin-sdk'
import { canonicalHost } from '@fogbow/plugin-sdk/network'
import { bareHost, rangesOf } from './address-rules.ts'
import type { Target } from './network-pattern.ts'
import type { ProxySettings } from './network-settings.ts'

/** Whether a host is reached without the proxy; entries are names, `*.domain`, `.domain`, addresses and ranges. */
export function isExempt(host: string, noProxy: readonly string[]): boolean {
  const bare = bareHost(host)
  return noProxy.some((entry) => {
    if (entry === '*') return true
    if (entry.includes('/')) return isIP(bare) !== 0 && rangesOf([entry])(bare)
    const name = entry.replace(/^\*?\./, '')
    if (name !== entry) return isIP(bare) === 0 && host.endsWith(`.${canonicalHost(name)}`)
    return canonicalHost(entry) === host
  })
}

/**
 * Asks the proxy for a connection to `target` (CONNECT: RFC 9110, section 9.3.6).
 * @param socket - connected to the proxy; the same afterwards is connected to the target
 */
export function tunnel(socket: Socket, target: Target, proxy: ProxySettings): Promise<void> {
  const name = `the proxy ${proxy.host}:${proxy.port}`
  const authority = `${target.host}:${target.port}`
  return new Promise((resolve, reject) => {
    let settled = false
    const fail = (problem: string, cause?: unknown) => {
      if (settled) return
      settled = true
      socket.destroy()
      reject(new FogbowError('unavailable_provider', `${authority}: ${name} ${problem}`, { cause }))
    }
    const asking = request({
      method: 'CONNECT',
      path: authority,
      createConnection: () => socket,
      headers: { host: authority, ...authorization(proxy) },
    })
    asking.on('connect', (answer, _socket, head) => {
      if (answer.statusCode !== 200) return fail(`answers ${answer.statusCode}`)
      settled = true
      if (head.length > 0) socket.unshift(head)
      resolve()
    })
    asking.on('response', (answer) => fail(`answers ${answer.statusCode}`))
    asking.on('error', (cause: NodeJS.ErrnoException) => fail(`fails: ${cause.code}`, cause))
    asking.on('close', () => fail('closed the connection'))
    asking.end()
  })
}

function authorization({ credentials }: ProxySettings): Record<string, string> {
  if (!credentials) return {}
  return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }
}
