import { asFogbowError, FogbowError, invalid } from '@fogbow/plugin-sdk'
import type { Operations } from '../../operations/index.ts'
import { type Place, renderLoginError, renderLoginPage } from '../pages/login-page.ts'
import { pageHeaders, readPageFile } from '../pages/page-files.ts'
import { type BrowserCookie, randomBrowserSecret } from '../request/browser-cookie.ts'
import { type Call, param, type Reply, type Route } from './route.ts'

export interface LoginPageDependencies {
  /** Where browsers reach the site, without a slash at the end. */
  publicUrl(): string
  cookie(): BrowserCookie
}

const html = 'text/html; charset=utf-8'
const about = { method: 'GET', tag: 'site', needsToken: false, status: 200 } as const

/** What a browser visits to log in at an identity provider, and where the provider sends it back. */
export function loginPageRoutes({ publicUrl, cookie }: LoginPageDependencies): Route[] {
  const callbackOf = (source: string) =>
    `${publicUrl()}/as/login/${encodeURIComponent(source)}/callback`

  const placeOf = (operations: Operations): Place => ({
    siteId: operations.site().id,
    publicUrl: publicUrl(),
  })

  async function begin(operations: Operations, call: Call): Promise<Reply> {
    const source = param(call, 'source')
    const browser = call.context.browser ?? randomBrowserSecret()
    const { url } = await operations.beginLogin({ ...call.context, browser }, source, {
      redirectUri: callbackOf(source),
      returnUrl: parametersOf(call).return,
    })
    return { ...redirect(url), cookie: cookie().write(browser) }
  }

  async function complete(operations: Operations, call: Call): Promise<Reply> {
    const source = param(call, 'source')
    const { ticket, returnUrl } = await operations.completeLogin(call.context, source, {
      redirectUri: callbackOf(source),
      parameters: parametersOf(call),
    })
    if (returnUrl !== undefined) return redirect(`${returnUrl}?loginTicket=${ticket}`)
    return redirect(`/login#${new URLSearchParams({ ticket, source })}`)
  }

  async function end(operations: Operations, call: Call): Promise<Reply> {
    const url = await operations.endSession(
      call.context,
      param(call, 'source'),
      `${publicUrl()}/login`,
    )
    return redirect(url ?? '/login')
  }

  const visited = (path: string, id: string, summary: string, visit: Visit): Route => ({
    ...about,
    path,
    id,
    summary,
    replies: true,
    run: (operations, call) =>
      visit(operations, call).catch((thrown) => errorPage(placeOf(operations), call, thrown)),
  })

  return [
    visited('/as/login/{source}', 'beginLogin', 'Sends a browser to the identity provider', begin),
    visited(
      '/as/login/{source}/callback',
      'completeLogin',
      'Where the identity provider sends the browser back',
      complete,
    ),
    visited('/as/login/{source}/logout', 'endLogin', 'Ends the session at the provider', end),
    {
      ...about,
      path: '/login',
      id: 'loginPage',
      summary: 'Where people log in',
      contentType: html,
      headers: pageHeaders(html),
      run: (operations) => renderLoginPage(placeOf(operations), operations.loginSources()),
    },
    file('/login/login.js', 'login.js', 'text/javascript; charset=utf-8'),
    file('/login/login.css', 'login.css', 'text/css; charset=utf-8'),
  ]
}

type Visit = (operations: Operations, call: Call) => Promise<Reply>

/** People are told in a page what went wrong, and how to go on. */
function errorPage(place: Place, call: Call, thrown: unknown): Reply {
  const error = asFogbowError(thrown)
  // The outermost middleware sees to what is nobody's mistake, and to paths that lead nowhere.
  if (error.code === 'internal_error' || error.code === 'not_found') throw thrown
  const { requestId } = call.context
  return {
    status: error.status,
    contentType: html,
    headers: { ...pageHeaders(html), 'Cache-Control': 'no-store' },
    body: renderLoginError(place, error, { source: param(call, 'source'), requestId }),
  }
}

function redirect(url: string): Reply {
  // Nobody learns from where the browser came, nor with which parameters.
  return { status: 303, headers: { Location: url, 'Referrer-Policy': 'no-referrer' } }
}

const MOST_PARAMETERS = 32
const LONGEST_PARAMETER = 16_384

/** @throws invalid_parameter for what no provider sends (RFC 6749, section 3.1: no parameter twice) */
function parametersOf({ queryText }: Call): Record<string, string> {
  const given = [...new URLSearchParams(queryText)]
  const names = new Set(given.map(([name]) => name))
  if (names.size !== given.length) throw invalid('query', 'has a parameter twice')
  if (given.length > MOST_PARAMETERS || given.some(([, value]) => value.length > LONGEST_PARAMETER))
    throw new FogbowError('invalid_parameter', 'The query is larger than a provider would make it')
  return Object.fromEntries(given)
}

function file(path: string, name: string, contentType: string): Route {
  const text = readPageFile(name)
  const headers = pageHeaders(contentType)
  return { ...about, path, id: name, summary: name, contentType, headers, run: () => text }
}
