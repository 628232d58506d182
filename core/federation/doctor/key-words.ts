import type { Finding } from './finding.ts'
import type { MemberReport } from './site-report.ts'

/** Whether this site can believe a member, and the member signs with a key that is believed. */
export function judgeKeys({
  id,
  dialect,
  pinned,
  keyProblem,
  isKnown,
  shown,
  ping,
}: MemberReport): Finding {
  const base = { check: 'keys', about: id } as const
  const place = `federation.peers['${id}'].keys`
  if (keyProblem !== undefined)
    return { ...base, verdict: 'fault', found: keyProblem, advice: `correct ${place}` }
  if (dialect === 'java')
    return {
      ...base,
      verdict: 'warning',
      found: 'it speaks the dialect of the original service, which signs nothing',
      advice:
        'whoever holds one of the two XMPP servers can read and change everything; ask the member to move to a host that signs, or leave it out',
    }
  const signed = 'kid' in ping ? ping.kid : undefined
  const isOther = ping.kind === 'not believed' && ping.reason === 'unknown-key'
  if (isKnown && isOther)
    return {
      ...base,
      verdict: 'fault',
      found: `wrong key: it signs with ${signed}, and what is believed here is ${pinned.join(' and ') || 'another, learnt before'}`,
      advice: `ask its administrator, by telephone, what fogbow federation key show prints there, and write that into ${place}; until then nothing of it is believed`,
    }
  if (!isKnown) {
    const seen = shown?.length ? `; it shows ${shown.join(' ')}` : ''
    return {
      ...base,
      verdict: 'fault',
      found: `no key of it is known here${seen}`,
      advice: `ask its administrator, by telephone, what fogbow federation key show prints there; if it is the same, write it into ${place}`,
    }
  }
  if (pinned.length === 0)
    return {
      ...base,
      verdict: 'warning',
      found: 'its keys were learnt when it was first met, and compared by nobody',
      advice: `compare them with its administrator, and write them into ${place}`,
    }
  const by = signed && !pinned.includes(signed) ? ', and a newer one that it announced' : ''
  return { ...base, verdict: 'ok', found: `pinned: ${pinned.join(' and ')}${by}` }
}
