import { createConnection, type Socket } from 'node:net'
import type { Finding } from './finding.ts'

/** `refused`: the machine is there, nothing listens. `silent`: nothing came back, as behind a firewall. */
export type Reach = 'open' | 'refused' | 'silent' | 'no route'

export const REACH_TIMEOUT_MS = 4000

/** Opens a connection, and closes it again. */
export async function reach(
  host: string,
  port: number,
  timeoutMs = REACH_TIMEOUT_MS,
): Promise<Reach> {
  try {
    const socket = await connect(host, port, timeoutMs)
    socket.destroy()
    return 'open'
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    if (code === 'ECONNREFUSED') return 'refused'
    return code === 'ETIMEDOUT' ? 'silent' : 'no route'
  }
}

/** @throws Error with the code of the system, ETIMEDOUT after the time given */
export function connect(host: string, port: number, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port })
    const timer = setTimeout(() => fail(timedOut(host, port)), timeoutMs)
    const fail = (error: Error) => {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    socket.once('error', fail)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', fail)
      resolve(socket)
    })
  })
}

export function timedOut(host: string, port: number): Error {
  return Object.assign(new Error(`${host}:${port} did not answer`), { code: 'ETIMEDOUT' })
}

/** The port where this site's component dials in. */
export function judgeComponentPort(host: string, port: number, reached: Reach): Finding {
  const base = { check: 'component port', about: `${host}:${port}` } as const
  if (reached === 'open')
    return { ...base, verdict: 'ok', found: 'the XMPP server listens for components' }
  const why = {
    refused: 'the machine is there, but nothing listens on that port',
    silent: 'nothing answers: a firewall drops it, or the machine is off',
    'no route': 'there is no way to that address from here',
  }[reached]
  const advice = {
    refused: `start the XMPP server, and let it listen for components on ${host} (prosody: component_interfaces; ejabberd: an ejabberd_service listener)`,
    silent: `let this host through to TCP ${port} of the XMPP server (nftables-xmpp-server.conf), and check federation.xmpp.host`,
    'no route': 'check federation.xmpp.host and the routes of this host',
  }[reached]
  return { ...base, verdict: 'fault', found: why, advice }
}

/** The port between servers, of a member. From a closed network it cannot be seen. */
export function judgeServerPort(name: string, at: string, reached: Reach): Finding {
  const base = { check: 'port 5269', about: name } as const
  if (reached === 'open') return { ...base, verdict: 'ok', found: `${at} can be reached from here` }
  if (reached === 'refused')
    return {
      ...base,
      verdict: 'fault',
      found: `${at} refuses: no XMPP server listens there`,
      advice: 'ask its administrator to start the server, and compare the address in DNS',
    }
  return {
    ...base,
    verdict: 'unknown',
    found: `${at} cannot be reached from this host, which need not be wrong: behind a closed firewall only the XMPP server of the site gets out, and it is that server which has to reach it`,
    advice: `the signed ping below decides; if it fails too, try on the machine of the XMPP server: nc -vz ${at.replace(':', ' ')}`,
  }
}
