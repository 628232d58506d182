import type { RefusalReason } from '../trust/index.ts'
import type { Finding } from './finding.ts'
import type { PingOutcome } from './signed-ping.ts'
import type { MemberReport } from './site-report.ts'

type Words = readonly [found: string, advice: string]

/** How a member answered, or why it did not. */
export function judgePing({ id, dialect, ping }: MemberReport, ownId: string): Finding {
  const base = { check: 'signed ping', about: id } as const
  if (ping.kind === 'answered') {
    const how = ping.kid === undefined ? 'answered, unsigned' : 'answered, signed'
    const found = `${how}, in ${Math.round(ping.latencyMs)} ms (dialect ${dialect})`
    return { ...base, verdict: ping.kid === undefined ? 'warning' : 'ok', found }
  }
  const [found, advice] = wordsFor(id, ping, ownId)
  return { ...base, verdict: ping.kind === 'not sent' ? 'unknown' : 'fault', found, advice }
}

function wordsFor(
  id: string,
  ping: Exclude<PingOutcome, { kind: 'answered' }>,
  ownId: string,
): Words {
  switch (ping.kind) {
    case 'silent':
      return [
        `silent: no answer within ${ping.afterMs / 1000} s, and no error either`,
        `the way to ${id} loses messages, or the site hangs; look at the log of the own XMPP server first, then ask its administrator`,
      ]
    case 'not sent':
      return [`not asked: ${ping.text}`, 'first see to the link above']
    case 'not delivered':
      return undelivered(id, ping.condition, ping.text)
    case 'refused':
      return refusedThere(id, ping.reason, ownId)
    case 'not believed':
      return notBelieved(id, ping.reason)
  }
}

/** By what servers say; whether it will last, none of them tells. */
function undelivered(id: string, condition: string, text: string): Words {
  const said = `${condition}${text ? `, ${text}` : ''}`
  if (/certificate|not trusted|not-authorized/i.test(text))
    return [
      `one of the two XMPP servers does not trust the certificate of the other (${said})`,
      'see certificate above for theirs; ours has to be signed by an authority that they trust, and be for the name of the component',
    ]
  if (/NXDomain|no address|not resolve|DNS/i.test(text))
    return [
      `unknown name: our XMPP server finds no address of ${id} (${said})`,
      'see DNS above; the XMPP server may use another DNS server than this host',
    ]
  if (/refused/i.test(text))
    return [
      `the XMPP server of ${id} does not run (${said})`,
      'ask its administrator; nothing is lost meanwhile, the site tries again by itself',
    ]
  if (/component unavailable|host-unknown/i.test(text) || condition === 'service-unavailable')
    return [
      `the XMPP server of ${id} runs, but its host is not connected to it (${said})`,
      'ask its administrator to look at fogbow federation doctor there',
    ]
  return [
    `not delivered: ${said}`,
    'the log of our XMPP server says why; if it names nothing, ask the administrator of the other',
  ]
}

function refusedThere(id: string, reason: RefusalReason, ownId: string): Words {
  switch (reason) {
    case 'unknown-key':
    case 'bad-signature':
      return [
        `${id} does not know our key`,
        `its administrator has to write what fogbow federation key show prints here into federation.peers['${ownId}'].keys there`,
      ]
    case 'no-site':
      return [
        `${id} does not have us as a member`,
        `its administrator has to add ${ownId} to members.list there`,
      ]
    case 'not-yet-valid':
      return [
        `our clock is ahead of the clock of ${id} by more than 30 s, so it refuses what we sign`,
        clockAdvice,
      ]
    case 'expired':
      return [
        `our clock is behind the clock of ${id} by more than 30 s, so it refuses what we sign`,
        clockAdvice,
      ]
    case 'unencrypted':
      return [
        `${id} takes encrypted messages only`,
        `set federation.encryption to 'whenPossible', and pin its key for encryption too`,
      ]
    case 'undecryptable':
      return [
        `${id} cannot decrypt what we encrypt: it has another key for encryption than the one pinned here`,
        `write what fogbow federation key show prints there into federation.peers['${id}'].keys`,
      ]
    case 'busy':
      return [`${id} has too much to do for us at this moment`, 'try again in a minute']
    default:
      return [`${id} refuses our ping (${reason})`, 'compare the versions of both hosts']
  }
}

function notBelieved(id: string, reason: RefusalReason): Words {
  switch (reason) {
    case 'unknown-key':
      return [`${id} answered, but with a key that is not believed here`, 'see keys above']
    case 'bad-signature':
    case 'foreign-issuer':
    case 'foreign-audience':
    case 'wrong-request':
      return [
        `what came as the answer of ${id} is not its answer (${reason}): somebody changed it on the way, or the member is broken`,
        'take this seriously: ask its administrator, and look at both XMPP servers',
      ]
    case 'not-yet-valid':
    case 'expired':
      return [`${id} answered, but its time is wrong for us (${reason})`, 'see clock below']
    case 'unencrypted':
      return [
        `no key of ${id} for encryption is known here, and federation.encryption is 'always'`,
        `write both of its keys into federation.peers['${id}'].keys`,
      ]
    default:
      return [
        `what came as the answer of ${id} cannot be understood (${reason})`,
        'compare the versions of both hosts',
      ]
  }
}

const clockAdvice =
  'compare both clocks with a third (timedatectl; chronyc tracking), and correct the wrong one'
const DOUBTFUL_MS = 5000
const FATAL_MS = 30_000

/** The clock of a member against ours, as far as a signed answer, or a refusal for the time, tells. */
export function judgeClock({ id, ping }: MemberReport): Finding | undefined {
  const base = { check: 'clock', about: id } as const
  if (ping.kind === 'refused' && (ping.reason === 'not-yet-valid' || ping.reason === 'expired')) {
    const where = ping.reason === 'expired' ? 'ahead of' : 'behind'
    const found = `its clock is more than 30 s ${where} ours`
    return { ...base, verdict: 'fault', found, advice: clockAdvice }
  }
  const difference = 'clockDifferenceMs' in ping ? ping.clockDifferenceMs : undefined
  if (difference === undefined) return undefined
  const distance = Math.abs(difference)
  const where = difference > 0 ? 'ahead of' : 'behind'
  if (distance < DOUBTFUL_MS)
    return { ...base, verdict: 'ok', found: `differs from ours by ${distance} ms` }
  const found = `its clock is ${(distance / 1000).toFixed(1)} s ${where} ours; more than 30 s are refused`
  return { ...base, verdict: distance > FATAL_MS ? 'fault' : 'warning', found, advice: clockAdvice }
}
