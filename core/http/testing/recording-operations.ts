import { orderedKind } from '@fogbow/plugin-sdk'
import type { Operations } from '../../operations/index.ts'
import { exampleOf } from '../openapi/example.ts'
import { instanceView } from '../routes/views.ts'

export interface RecordedCall {
  operation: string
  args: unknown[]
}

export interface RecordingOperations {
  operations: Operations
  calls: RecordedCall[]
  /** Replaces the answer of an operation; the function may throw. */
  answer(operation: keyof Operations, answer: (...args: never[]) => unknown): void
}

const id = '0b6f3a52-6c1e-4f7b-9d53-2a7e8f10c4d9'
const amounts = {
  instances: 1,
  vCPU: 2,
  ram: 2048,
  storage: 10,
  volumes: 1,
  networks: 1,
  publicIps: 3,
}
const outcomes = [{ id, outcome: 'refused', message: 'It is being deleted' }]
const rule = {
  id: 'rule-1',
  protocol: 'TCP',
  etherType: 'IPv4',
  direction: 'IN',
  portFrom: 22,
  portTo: 22,
  cidr: '0.0.0.0/0',
}
const statusEntry = {
  instanceId: id,
  instanceName: 'worker-1',
  provider: 'site-a',
  cloudName: 'c1',
  state: 'READY',
}
const delegation = {
  orderId: id,
  owner: 'ana@site-a',
  active: true,
  scope: 'work',
  grantedBy: 'ana@site-a',
  grantedAt: '2030-03-17T17:46:40.000Z',
  expiresAt: null,
  revokedBy: null,
  revokedAt: null,
  reason: null,
  problem: null,
}
const logInEntry = {
  id: 4,
  timestamp: '2030-03-17T17:46:40.000Z',
  requestId: 'request-4',
  userName: 'ana',
  source: 'staff',
  address: '192.0.2.7',
  outcome: 'refused',
  reason: 'user name or password is wrong',
}
const auditEntry = {
  detail: null,
  id: 1,
  timestamp: '2030-01-31T12:00:00.000Z',
  requestId: 'r1',
  operation: 'create',
  resourceType: 'COMPUTE',
  userId: 'ana',
  identityProviderId: 'site-a',
  requester: 'site-a',
  provider: 'site-a',
  cloudName: 'c1',
  orderId: null,
  response: 'ok',
}
const plugin = {
  name: 'emulated',
  package: '@fogbow/emulated-cloud',
  version: '0.1.0',
  kinds: ['compute', 'volume'],
  state: 'ready',
  isolation: 'worker',
  reason: null,
}
const pluginReport = {
  ...plugin,
  bundleHash: 'a'.repeat(64),
  advice: null,
  closedForNew: null,
  retryAt: null,
  lastFailure: { message: 'it used too much memory', at: '2030-01-31T12:00:00.000Z' },
  isolationChoice: {
    wanted: 'worker',
    why: 'it comes with the site',
    minimum: 'worker',
    missing: [],
    moved: null,
  },
  capabilities: { network: [], addresses: [], secrets: [], storage: true },
  storage: { usedBytes: 1, quotaBytes: 67_108_864 },
  limits: { memoryMiB: 256 },
  usage: {
    calls: 1,
    errors: 0,
    inFlight: 0,
    waiting: 0,
    restarts: 0,
    deniedRequests: 0,
    cpuMs: 1,
    heapBytes: 1,
  },
}
const site = {
  id: 'site-a',
  version: '0.1.0',
  startedAt: '2030-01-31T12:00:00.000Z',
  clouds: [{ name: 'c1', isDefault: true, plugins: { compute: 'emulated' }, health: 'ready' }],
  plugins: [plugin],
  members: ['site-a', 'site-b'],
}

const actor = { id: 'ana@site-a', reason: 'tested' }
const plan = {
  id: 'a'.repeat(64),
  request: { action: 'upgrade' },
  base: 3,
  createdAt: '2030-01-31T12:00:00.000Z',
  createdBy: actor,
  changes: [],
  settings: {},
  needsAcceptance: ['level community'],
  refusals: [],
}
const generation = {
  number: 4,
  at: '2030-01-31T12:00:00.000Z',
  by: actor,
  change: 'upgrade @vendor/plugin@1.1.0',
  plan: plan.id,
  plugins: [{ name: '@vendor/plugin', version: '1.1.0', level: 'community', hash: 'b'.repeat(64) }],
}
const found = {
  name: '@vendor/plugin',
  description: 'A plugin',
  kinds: ['compute'],
  version: '1.1.0',
  license: 'MIT',
  source: 'npm',
}
const revocation = {
  package: '@vendor/plugin',
  versions: '<1.1.0',
  action: 'warn',
  reason: 'slow',
  since: '2030-01-31T12:00:00.000Z',
  source: 'this site',
  plugins: ['cloud'],
}
const trial = {
  plugin: 'cloud',
  package: '@vendor/plugin',
  present: '1.0.0',
  tried: '1.1.0',
  plan: plan.id,
  of: { share: 0.1 },
  startedAt: '2030-01-31T12:00:00.000Z',
  startedBy: 'ana@site-a',
  counts: { present: { calls: 9, failures: 0 }, tried: { calls: 1, failures: 0 } },
}
const drift = {
  kind: 'not used',
  subject: '@vendor/plugin',
  message: 'nobody uses it',
  remedy: 'remove it',
}

type Answers = Record<keyof Operations, (...args: never[]) => unknown>

const answers: Answers = {
  searchPlugins: async () => ({ items: [found], problems: [] }),
  describePackage: async () => ({
    ...found,
    versions: [{ version: '1.1.0', sdk: '^0.1.0', suits: true }],
    manifest: {},
    readme: '# Plugin',
    changelog: '',
    advisories: [],
    screenshots: [],
  }),
  getPluginReference: async () => ({ markdown: '# @vendor/plugin 1.1.0' }),
  planChange: async () => plan,
  listPlans: async () => [plan],
  getPlan: async () => plan,
  discardPlan: async () => {},
  applyPlan: async () => ({ generation }),
  checkPluginSettings: async () => ({
    instance: 'cloud',
    missing: ['endpoint'],
    secrets: ['password'],
    unknown: [],
    descriptions: { endpoint: 'URL of the cloud' },
  }),
  listGenerations: async () => [generation],
  listDrift: async () => [drift],
  listTrials: async () => [trial],
  decideTrial: async () => {},
  listRevocations: async () => [revocation],
  revokePackage: async () => {},
  withdrawRevocation: async () => {},
  refreshMarketplace: async () => ({ problems: [] }),
  loginSources: () => ({ sources: [{ name: 'science', devices: true }], passwords: false }),
  beginLogin: async () => ({ url: 'https://login.example/authorize?state=s' }),
  completeLogin: async () => ({ ticket: 'one-time', returnUrl: undefined }),
  fetchToken: async () => ({ token: 'secret-token' }),
  beginDeviceLogin: async () => ({
    handle: 'handle',
    userCode: 'BDWP-HQPK',
    verificationUri: 'https://login.example/device',
    expiresInSeconds: 600,
    intervalSeconds: 5,
  }),
  pollDeviceLogin: async () => ({ status: 'pending', intervalSeconds: 5 }),
  endSession: async () => 'https://login.example/end',
  createToken: async () => ({ token: 'secret-token' }),
  revokeToken: async () => {},
  whoAmI: async () => ({
    id: 'ana',
    identityProviderId: 'site-a',
    name: 'Ana',
    roles: ['member'],
    expiresAt: 1893456000000,
  }),
  answerTo: async (_context: never, _subject: never, answer: () => unknown) => answer(),
  createOrder: async () => ({ id }),
  getOrder: async (_context: never, kind: string) => {
    const declared = orderedKind(kind)
    return declared && exampleOf(instanceView(declared))
  },
  listOrders: async () => ({ items: [statusEntry], version: 'v1' }),
  deleteOrder: async () => {},
  actOnOrder: async () => {},
  actOnOrdersOfUser: async () => outcomes,
  takeSnapshot: async () => {},
  getAllocation: async () => ({ instances: 1, vCPU: 2, ram: 2048, disk: 20, storage: 10 }),
  createSecurityRule: async () => ({ id: 'rule-1' }),
  listSecurityRules: async () => [rule],
  deleteSecurityRule: async () => {},
  listClouds: async () => ({ clouds: ['c1', 'c2'] }),
  listImages: async () => [{ id: 'i1', name: 'Debian 12' }],
  getImage: async () => ({
    id: 'i1',
    name: 'Debian 12',
    size: -1,
    minDisk: 3,
    minRam: -1,
    status: null,
  }),
  listSpecs: async () => [{ id: 's1', name: 'small' }],
  getSpec: async () => ({ id: 's1', name: 'small', vCPU: 1, ram: 512, disk: 3, requirements: {} }),
  getQuota: async () => ({ totalQuota: amounts, usedQuota: amounts, availableQuota: amounts }),
  reload: async () => {},
  setPolicy: async () => {},
  updatePolicy: async () => {},
  purgeUser: async () => outcomes,
  getDelegation: async () => delegation,
  revokeDelegation: async () => delegation,
  grantDelegation: async () => delegation,
  listLogIns: async () => ({ items: [logInEntry], version: 'v1' }),
  listAudit: async () => ({ items: [auditEntry], version: 'v1' }),
  getOrderHistory: async () => [{ timestamp: auditEntry.timestamp, state: 'OPEN', message: null }],
  listPlugins: async () => [pluginReport],
  getPlugin: async () => pluginReport,
  getIsolation: async () => ({
    level: 'process',
    missing: ['user namespaces are switched off'],
    minimum: 'worker',
    zombies: 0,
    zombieLimit: 1,
    advice: null,
  }),
  examineFederation: async () => ({
    link: { state: 'refused', condition: 'not-authorized', text: 'wrong secret' },
    keys: ['kid:key'],
    members: [
      {
        id: 'site-b',
        dialect: 'own',
        pinned: ['kid'],
        isKnown: true,
        ping: { kind: 'answered', latencyMs: 3, kid: 'kid', clockDifferenceMs: -12 },
      },
    ],
  }),
  restartPlugin: async () => {},
  backUp: async () => ({ path: '/var/lib/fogbow/backup-1' }),
  members: () => site.members,
  memberStatus: () => [
    { id: 'site-a', local: true, dialect: 'own', liveness: 'alive' },
    {
      id: 'site-b',
      local: false,
      dialect: 'java',
      liveness: 'silent',
      latencyMs: 12.5,
      lastSeenAt: 1893456000000,
      problem: 'it cannot be reached',
      sources: [
        { source: 'rendezvous.example', statement: 'verified', lastHeardAt: 1893456000000 },
      ],
    },
  ],
  isMemberAuthorized: () => ({ authorized: true }),
  publicKey: () => 'MIIB',
  site: () => site,
}

/** Operations that answer plausibly and remember what they were asked. */
export function createRecordingOperations(): RecordingOperations {
  const calls: RecordedCall[] = []
  const current: Answers = { ...answers }
  const operations = Object.fromEntries(
    Object.keys(answers).map((operation) => [
      operation,
      (...args: never[]) => {
        calls.push({ operation, args })
        return current[operation as keyof Operations](...args)
      },
    ]),
  )
  return {
    operations: operations as unknown as Operations,
    calls,
    answer: (operation, answer) => {
      current[operation] = answer
    },
  }
}
