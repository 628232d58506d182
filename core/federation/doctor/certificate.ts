import type { Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls, type PeerCertificate } from 'node:tls'
import type { Finding } from './finding.ts'
import { connect, timedOut } from './ports.ts'

/** What a server shows to other servers. */
export interface ShownCertificate {
  readonly subject: string
  readonly issuer: string
  /** ms since the epoch */
  readonly validFrom: number
  readonly validTo: number
  /** Why it is not one for that name. */
  readonly nameProblem?: string
  /** Why its chain does not lead to a trusted authority: a code of OpenSSL. */
  readonly chainProblem?: string
}

export interface Question {
  readonly address: string
  readonly port: number
  /** Of the component at that server, and of ours. */
  readonly name: string
  readonly from: string
  /** PEM of the authority that the federation trusts; those of the machine when absent. */
  readonly authority?: string | undefined
  readonly timeoutMs?: number
}

const HEADER = (to: string, from: string) =>
  `<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' to='${to}' from='${from}' version='1.0'>`
const STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
const MOST_READ = 65_536

/**
 * Opens a stream between servers as far as the certificate (RFC 6120, section 5), and closes it. Trusts nothing itself.
 * @throws Error: what the server said instead, or a code of the system
 */
export async function readCertificate({
  address,
  port,
  name,
  from,
  authority,
  timeoutMs = 8000,
}: Question): Promise<ShownCertificate> {
  const socket = await connect(address, port, timeoutMs)
  const timer = setTimeout(() => socket.destroy(timedOut(address, port)), timeoutMs)
  try {
    socket.write(HEADER(name, from))
    await heard(socket, /<\/stream:features>|<stream:features\s*\/>/, /<starttls/)
    socket.write(STARTTLS)
    await heard(socket, /<proceed/)
    return await shown(socket, name, authority)
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}

/** Waits until all of it was said. */
function heard(socket: Socket, ...patterns: readonly RegExp[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    const end = (error?: Error) => {
      socket.off('data', read)
      socket.off('error', end)
      socket.off('close', closed)
      if (error) reject(error)
      else resolve()
    }
    const closed = () => end(new Error('the server closed the connection'))
    const read = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const fault = /<stream:error>\s*<([a-z-]+)/.exec(text)
      if (fault) end(new Error(`the server answered ${fault[1]}`))
      else if (patterns.every((pattern) => pattern.test(text))) end()
      else if (/<\/stream:features>/.test(text)) end(new Error('the server offers no TLS'))
      else if (text.length > MOST_READ) end(new Error('that is no XMPP server'))
    }
    socket.on('data', read)
    socket.once('error', end)
    socket.once('close', closed)
  })
}

function shown(
  socket: Socket,
  name: string,
  authority: string | undefined,
): Promise<ShownCertificate> {
  return new Promise((resolve, reject) => {
    const stream = connectTls({
      socket,
      servername: name,
      rejectUnauthorized: false,
      ...(authority !== undefined && { ca: authority }),
    })
    stream.once('error', reject)
    stream.once('close', () => reject(new Error('the server closed the connection')))
    stream.once('secureConnect', () => {
      const chain = stream.authorizationError
      resolve(describe(stream.getPeerCertificate(), name, chain ? codeOf(chain) : undefined))
      stream.destroy()
    })
  })
}

/** Node types it as an error; it is the code as a text. */
function codeOf(problem: Error | string): string {
  if (typeof problem === 'string') return problem
  return 'code' in problem ? String(problem.code) : problem.message
}

function describe(
  certificate: PeerCertificate,
  name: string,
  chain: string | undefined,
): ShownCertificate {
  const nameProblem = checkServerIdentity(name, certificate)?.message
  // The name is looked at apart, and so are the dates.
  const chainProblem = chain && !/EXPIRED|NOT_YET_VALID|ALTNAME/.test(chain) ? chain : undefined
  return {
    subject: [certificate.subject?.CN ?? ''].flat().join(', '),
    issuer: [certificate.issuer?.CN ?? ''].flat().join(', '),
    validFrom: Date.parse(certificate.valid_from),
    validTo: Date.parse(certificate.valid_to),
    ...(nameProblem && { nameProblem }),
    ...(chainProblem && { chainProblem }),
  }
}

const DAY_MS = 86_400_000
const SOON_MS = 14 * DAY_MS

/** @param now - ms since the epoch */
export function judgeCertificate(name: string, shown: ShownCertificate, now: number): Finding {
  const { validFrom, validTo, nameProblem, chainProblem, issuer, subject } = shown
  const base = { check: 'certificate', about: name } as const
  const until = new Date(validTo).toISOString().slice(0, 10)
  if (now > validTo)
    return {
      ...base,
      verdict: 'fault',
      found: `the certificate of its server expired on ${until}`,
      advice: 'its administrator has to renew it; other servers refuse it until then',
    }
  if (now < validFrom)
    return {
      ...base,
      verdict: 'fault',
      found: `the certificate of its server is valid only from ${new Date(validFrom).toISOString()}`,
      advice: 'compare the clocks of both machines',
    }
  if (nameProblem)
    return {
      ...base,
      verdict: 'fault',
      found: `the certificate of its server is for ${subject || 'other names'}, not for ${name}`,
      advice: `it needs DNS:${name} (or a wildcard for it) among its alternative names`,
    }
  if (chainProblem)
    return {
      ...base,
      verdict: 'fault',
      found: `the certificate of its server is not trusted: ${whyNot(chainProblem)} (issuer: ${issuer || 'none'})`,
      advice:
        'if the federation has an authority of its own, give its certificate with --ca; else the member needs one of an authority that all trust',
    }
  const daysLeft = Math.floor((validTo - now) / DAY_MS)
  if (validTo - now < SOON_MS)
    return {
      ...base,
      verdict: 'warning',
      found: `the certificate of its server expires in ${daysLeft} days, on ${until}`,
      advice: 'remind its administrator to renew it',
    }
  return { ...base, verdict: 'ok', found: `by ${issuer}, for ${name}, until ${until}` }
}

function whyNot(code: string): string {
  if (/SELF_SIGNED_CERT$/.test(code)) return 'it is signed by itself'
  if (/SELF_SIGNED/.test(code)) return 'its authority is not one that is trusted here'
  if (/ISSUER|LEAF/.test(code)) return 'its authority is not known here'
  return code
}

/** The server was reached, and showed none. */
export function judgeNoCertificate(name: string, error: Error): Finding {
  const base = { check: 'certificate', about: name } as const
  if (/host-unknown/.test(error.message))
    return {
      ...base,
      verdict: 'fault',
      found: `the server there does not know ${name}`,
      advice: `the DNS name leads to the wrong server, or the component ${name} is missing in its configuration`,
    }
  return {
    ...base,
    verdict: 'fault',
    found: `no certificate was shown: ${error.message}`,
    advice: 'ask its administrator whether that is an XMPP server with TLS between servers',
  }
}
