import { asFogbowError, FogbowError, invalid } from '@fogbow/plugin-sdk'
import type { Audit, AuthenticUser, LogIns, LoginsElsewhere } from '../aaa/index.ts'
import { identitySources } from '../config/index.ts'
import { networkOf } from './network-of.ts'
import type { OperationParts } from './operation-parts.ts'
import type { Operations, RequestContext } from './operations.ts'
import { toBody } from './request.ts'

/** Logging in at an identity provider that the user visits. What came of each is recorded, with the user once he is known. */
export function createLoginOperations(
  parts: OperationParts & { audit: Audit; logIns: LogIns; elsewhere: LoginsElsewhere },
): Pick<
  Operations,
  | 'loginSources'
  | 'beginLogin'
  | 'completeLogin'
  | 'fetchToken'
  | 'beginDeviceLogin'
  | 'pollDeviceLogin'
  | 'endSession'
> {
  const { aaa, audit, logIns, elsewhere } = parts

  const network = ({ remoteAddress = '' }: RequestContext) => networkOf(remoteAddress).slice(0, 64)
  const from = (context: RequestContext) => ({
    requestId: context.requestId,
    address: context.remoteAddress ?? '',
  })

  function record(context: RequestContext, source: string, end: AuthenticUser | string): void {
    const user = typeof end === 'string' ? undefined : end.user
    audit.record({
      timestamp: parts.now(),
      request_id: context.requestId,
      operation: 'login',
      resource_type: 'TOKEN',
      user_id: user?.id ?? null,
      identity_provider_id: user?.identityProviderId ?? null,
      requester: context.requester,
      provider: parts.siteId(),
      detail: `at ${source}`.slice(0, 255),
      response: typeof end === 'string' ? end : 'ok',
    })
  }

  async function recorded<Result extends { tokenValue: string } | { status: string }>(
    context: RequestContext,
    source: string,
    run: () => Promise<Result>,
  ): Promise<Result> {
    try {
      const result = await run()
      // A token that this site would refuse is found out now, and not when it is used.
      if ('tokenValue' in result) {
        const authentic = await aaa.authenticate(result.tokenValue, context.signal)
        record(context, source, authentic)
        await logIns.noteElsewhere(source, authentic.user.id, from(context))
      }
      return result
    } catch (error) {
      record(context, source, asFogbowError(error).code)
      await logIns.noteElsewhere(source, null, from(context), error)
      throw error
    }
  }

  function checkReturnUrl(returnUrl: string | undefined): void {
    if (returnUrl === undefined) return
    const allowed = parts.config().http.loginReturnUrls
    if (allowed.includes(returnUrl)) return
    throw invalid('return', 'is none of the pages in http.loginReturnUrls of this site')
  }

  return {
    loginSources() {
      const sources = elsewhere.sources()
      const isElsewhere = (plugin: string) => sources.some(({ name }) => name === plugin)
      const passwords = identitySources(parts.config()).some(
        ({ tokenGenerator }) => !isElsewhere(tokenGenerator),
      )
      return { sources, passwords }
    },

    async beginLogin(context, source, { redirectUri, returnUrl }) {
      checkReturnUrl(returnUrl)
      const { browser, signal } = context
      if (browser === undefined)
        throw new FogbowError('unauthenticated', 'the browser is not known')
      const login = { redirectUri, browser, returnUrl, address: network(context), signal }
      return { url: await elsewhere.begin(source, login) }
    },

    async completeLogin(context, source, { redirectUri, parameters }) {
      const { browser, signal } = context
      const { tokenValue, returnUrl } = await recorded(context, source, () =>
        elsewhere.complete(source, { redirectUri, browser, parameters, signal }),
      )
      const ticket = await elsewhere.leave(tokenValue, {
        source,
        address: network(context),
        browser: returnUrl === undefined ? browser : undefined,
      })
      return { ticket, returnUrl }
    },

    fetchToken: async ({ browser }, ticket) => ({ token: await elsewhere.fetch(ticket, browser) }),

    beginDeviceLogin: (context, source) =>
      elsewhere.beginDevice(source, { address: network(context), signal: context.signal }),

    async pollDeviceLogin(context, source, body) {
      const { handle } = toBody(body)
      if (typeof handle !== 'string' || handle === '')
        throw invalid('handle', 'must be that of a login which was begun')
      const polled = await recorded(context, source, () =>
        elsewhere.pollDevice(source, handle, context.signal),
      )
      if (polled.status !== 'done') return polled
      return { status: 'done', token: polled.tokenValue }
    },

    endSession: (context, source, returnUri) =>
      elsewhere.endSession(source, returnUri, context.signal),
  }
}
