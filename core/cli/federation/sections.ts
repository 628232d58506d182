import type { Plan } from './plan.ts'

/** The name under which the data directory keeps the secret of the component. */
export const SECRET_FILE = 'keys/xmpp-component.secret'

/** Two sections of `fogbow.config.ts`, as a module that it can import. */
export function configSections({ members, componentAddress, componentPort }: Plan): string {
  const ids = members.map((id) => `'${id}'`).join(', ')
  const peers = members.map(
    (id) => `    // What fogbow federation key show prints there, told by telephone.
    '${id}': { keys: [] },`,
  )
  return `/**
 * The federation, for fogbow.config.ts: copy both sections, or
 *   import { federation, members } from './federation/sections.ts'
 *   export default defineConfig({ …, members, federation })
 */

/** Ids of the other members. */
export const members = { list: [${ids}] }

export const federation = {
  xmpp: { host: '${componentAddress}', port: ${componentPort}, secret: 'file:{dataDir}/${SECRET_FILE}' },
  /** The public keys of the other members, without which nothing of them is believed. */
  peers: {${peers.length > 0 ? `\n${peers.join('\n')}\n  ` : ''}},
}
`
}
