import { FogbowError } from '@fogbow/plugin-sdk'
import { assertValid } from '@fogbow/plugin-sdk/validate'
import { allocationMethods } from '../../allocation/methods.ts'
import type { RemoteCall } from '../../contract.ts'
import type { Asked, CreateDialect, Dialect, DialectParts } from '../../dialect.ts'
import type { PeerSettings } from '../../settings.ts'
import { jidOf } from '../../site-jid.ts'
import type { Clock, XmppComponent } from '../../xmpp/index.ts'

export interface ModelSite {
  readonly dialect: Dialect
  /** What members asked and was admitted. */
  readonly asked: RemoteCall[]
  readonly warnings: string[]
  readonly defects: unknown[]
  readonly heard: string[]
  /** Asks a member through the dialect; the result fits the schema of the method. */
  call(
    member: string,
    method: string,
    params: Record<string, unknown>,
    user?: RemoteCall['user'],
  ): Promise<unknown>
}

export interface ModelSiteOptions {
  readonly siteId: string
  readonly component: XmppComponent
  readonly clock: Clock
  readonly create: CreateDialect
  /** What the site does; the default has nothing. */
  answer?(call: RemoteCall): Promise<unknown>
  readonly members?: readonly string[]
  /** Of every member. */
  readonly written?: () => PeerSettings
}

/** A site around one dialect: admits as the federation does, answers as it is told. */
export function createModelSite(options: ModelSiteOptions): ModelSite {
  const { siteId, component, clock, members } = options
  const methods = new Map(allocationMethods.map((method) => [method.name, method]))
  const site = { asked: [], warnings: [], defects: [], heard: [] } as Omit<
    ModelSite,
    'dialect' | 'call'
  >

  function admit(asked: Asked): RemoteCall {
    const { member, params, user } = asked
    const method = methods.get(asked.method)
    if (!method) throw new FogbowError('not_implemented', `no ${asked.method}`)
    if (members && !members.includes(member))
      throw new FogbowError('unauthorized', `${member} is no member`)
    assertValid(method.params, params, 'params')
    if (method.onBehalf && !isOwnUser(user, member))
      throw new FogbowError('unauthorized', `${member} may only speak for its own users`)
    if (!method.onBehalf && user !== undefined) throw new Error(`${asked.method} has a user`)
    const call = { ...asked, method } as unknown as RemoteCall
    site.asked.push(call)
    return call
  }

  async function answer(call: RemoteCall): Promise<unknown> {
    const result = await options.answer?.(call)
    if (call.method.result) assertValid(call.method.result, result, call.method.name)
    return result
  }

  const parts: DialectParts = {
    component,
    siteId,
    methods,
    server: { admit, answer },
    clock,
    log: {
      info() {},
      warn: (_, message) => void site.warnings.push(message),
      error: (fields) => void site.defects.push(fields),
    },
    written: () => options.written?.(),
    request: (member, type, children, settings) =>
      component.request(jidOf(member), type, children, settings),
    heard: (member) => void site.heard.push(member),
  }
  const dialect = options.create(parts)
  return {
    ...site,
    dialect,
    async call(member, name, params, user) {
      const method = methods.get(name)
      if (!method) throw new Error(`no method ${name}`)
      assertValid(method.params, params, name)
      const settings = { timeoutMs: method.timeoutMs, ...(user && { user }) }
      const result = await dialect.call(member, method, params, settings)
      if (method.result) assertValid(method.result, result, name)
      return result
    },
  }
}

function isOwnUser(user: unknown, member: string): boolean {
  const { id, identityProviderId } = (user ?? {}) as Record<string, unknown>
  return typeof id === 'string' && id !== '' && identityProviderId === member
}
