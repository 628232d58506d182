import type { Finding, Verdict } from './finding.ts'
import type { LinkReport } from './site-report.ts'

/** Where the component dials in, and under which name. */
export interface LinkPlace {
  readonly jid: string
  readonly at: string
}

/** Whether the XMPP server took the component, and if not why. */
export function judgeLink(
  { state, condition = '', text = '' }: LinkReport,
  place: LinkPlace,
): Finding {
  const finding = (verdict: Verdict, found: string, advice?: string): Finding => ({
    ...{ check: 'component secret', about: place.jid, verdict, found },
    ...(advice !== undefined && { advice }),
  })
  if (state === 'online') return finding('ok', 'the XMPP server accepted the secret')
  const [found, advice] = (problems[condition] ?? unknownProblem)(place, text || state)
  return finding('fault', found, advice)
}

type Words = (place: LinkPlace, text: string) => [found: string, advice: string]

const problems: Readonly<Record<string, Words>> = {
  'not-authorized': ({ jid }) => [
    'wrong secret: the XMPP server refuses it',
    `the file behind federation.xmpp.secret and the secret of ${jid} in the configuration of the XMPP server must be equal; after a change there, restart the server. ejabberd says the same of a component that it does not know: compare the name too`,
  ],
  'host-unknown': ({ jid }) => [
    `the XMPP server does not know a component ${jid}`,
    'take over the component from the configuration that fogbow federation init writes, and restart the server; the name is ras- and site.id',
  ],
  conflict: ({ jid }) => [
    `another process is connected as ${jid}`,
    'stop the other one: two under one name take each other’s messages. It may be an old host of this site; kick_old in the configuration of Prosody makes the newest win',
  ],
  'no-handshake': ({ at }) => [
    `${at} takes connections, but does not speak as an XMPP server to components`,
    'check federation.xmpp.port: 5347 is for components, 5269 for servers, 5222 for people',
  ],
  unreachable: ({ at }, text) => [
    `${at} cannot be reached: ${text}`,
    'see component port above; the site tries again by itself',
  ],
  silent: () => [
    'the XMPP server has stopped answering',
    'look at the machine of the XMPP server: it holds the connection and says nothing',
  ],
}

const unknownProblem: Words = (_, text) => [
  `no link: ${text}`,
  'the log of the XMPP server has the reason',
]
