import { param, type Route } from './route.ts'
import { object } from './views.ts'

const about = { tag: '/as log-in', needsToken: false } as const

const source = {
  type: 'object',
  required: ['name', 'devices'],
  properties: {
    name: { type: 'string', description: 'As in the paths below' },
    devices: { type: 'boolean', description: 'Whether programs without a browser can use it' },
  },
} as const

const deviceLogin = {
  title: 'DeviceLogin',
  type: 'object',
  required: ['handle', 'userCode', 'verificationUri', 'expiresInSeconds', 'intervalSeconds'],
  properties: {
    handle: { type: 'string', description: 'With which to ask whether the user is through' },
    userCode: { type: 'string' },
    verificationUri: { type: 'string', description: 'Where the user types the code' },
    verificationUriComplete: { type: 'string', description: 'The same with the code in it' },
    expiresInSeconds: { type: 'integer' },
    intervalSeconds: { type: 'integer', description: 'Least time between two questions' },
  },
} as const

const devicePoll = {
  title: 'DevicePoll',
  type: 'object',
  required: ['status'],
  properties: {
    status: { type: 'string', enum: ['done', 'pending', 'slow_down'] },
    token: { type: 'string', description: 'When it is done' },
    intervalSeconds: { type: 'integer', description: 'Least time until the next question' },
  },
} as const

/** Logging in at an identity provider, as far as programs are concerned; `login-page-routes.ts` has what browsers visit. */
export const loginRoutes: readonly Route[] = [
  {
    ...about,
    method: 'GET',
    path: '/as/login',
    id: 'listLoginSources',
    summary: 'Lists the identity providers at which users of this site log in',
    status: 200,
    response: object('LoginSources', {
      sources: { type: 'array', items: source },
      passwords: { type: 'boolean', description: 'Whether POST /as/tokens takes passwords' },
    }),
    run: (operations) => operations.loginSources(),
  },
  {
    ...about,
    method: 'POST',
    path: '/as/login/{source}/device',
    id: 'beginDeviceLogin',
    summary: 'Begins a login whose user has a browser elsewhere (RFC 8628)',
    status: 201,
    response: deviceLogin,
    run: (operations, call) => operations.beginDeviceLogin(call.context, param(call, 'source')),
  },
  {
    ...about,
    method: 'POST',
    path: '/as/login/{source}/device/token',
    id: 'pollDeviceLogin',
    summary:
      'Asks whether the user of a device login is through; whoever asks too often waits longer',
    status: 200,
    request: {
      title: 'DeviceHandle',
      type: 'object',
      required: ['handle'],
      properties: { handle: { type: 'string' } },
    },
    response: devicePoll,
    run: (operations, call) =>
      operations.pollDeviceLogin(call.context, param(call, 'source'), call.body),
  },
]
