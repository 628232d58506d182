import { FogbowError } from '@fogbow/plugin-sdk'

/** One exchange with a peer of the original service, and what it is in our own methods. */
export interface Golden {
  readonly title: string
  readonly type: 'get' | 'set'
  /** Children of the request, as that service writes them. */
  readonly request: string
  /** Children of its result. */
  readonly result: string
  readonly method: string
  readonly params: Record<string, unknown>
  readonly onBehalf: boolean
  /** What the method brings when such a peer is asked. */
  readonly brings?: unknown
  /** What this site is asked when such a peer asks, in order, and what it says. */
  readonly asks: readonly { method: string; params: Record<string, unknown>; says: unknown }[]
  /** Further requests that belong to ours, by namespace, and the children of their results. */
  readonly also?: Readonly<Record<string, string>>
  /** The original sends, or accepts, what the other direction does not have. */
  readonly only?: 'asking' | 'answering'
}

export const A = 'site-a.example'
export const B = 'site-b.example'
export const ana = { roles: [], identityProviderId: A, id: 'u1', name: 'ana' }
export const ID = '8d0c2f1e-5f0f-4c8e-9c0b-2f2c7c1f0a11'
const NETWORK_ID = '5b7e3c0a-6a3e-4f8e-8a44-0d9f6a1b2c3d'
const ANA = `{"identityProviderId":"${A}","id":"u1","name":"ana"}`
const USER = `<systemUser>${ANA}</systemUser>`
const NOT_FOUND = new FogbowError('instance_not_found', 'no such order')
const GENERATION = 7

interface OrderExample {
  readonly kind: string
  readonly type: string
  readonly className: string
  readonly name: string
  readonly request: Record<string, unknown>
  /** Of the JSON, before the fields that all have, with and without what it occupies. */
  readonly fields: (allocation: string) => string
  readonly nothingYet: string
  readonly allocation: Record<string, number> | null
  readonly occupied: string
  readonly requirements: string
}

const compute: OrderExample = {
  kind: 'compute',
  type: 'COMPUTE',
  className: 'ComputeOrder',
  name: 'worker-1',
  request: {
    vCPU: 2,
    ram: 2048,
    disk: 20,
    userData: [
      {
        extraUserDataFileContent: 'IyEvYmluL3NoCg==',
        extraUserDataFileType: 'SHELL_SCRIPT',
        tag: 'hello',
      },
    ],
    imageId: 'img-7',
    publicKey: "ssh-ed25519 AAAAC3Nz <ana & 'bob'>",
    networkIds: [NETWORK_ID],
    requirements: { gpu: 'yes' },
  },
  fields: (allocation) =>
    '"vCPU":2,"ram":2048,"disk":20,"userData":[{"extraUserDataFileContent":"IyEvYmluL3NoCg\\u003d\\u003d",' +
    '"extraUserDataFileType":"SHELL_SCRIPT","tag":"hello"}],"name":"worker-1","imageId":"img-7",' +
    '"publicKey":"ssh-ed25519 AAAAC3Nz \\u003cana \\u0026 \\u0027bob\\u0027\\u003e",' +
    `"actualAllocation":${allocation},"networkOrderIds":["${NETWORK_ID}"],`,
  nothingYet: '{"instances":0,"vCPU":0,"ram":0,"disk":0}',
  allocation: { vCPU: 2, ram: 2048, disk: 20 },
  occupied: '{"instances":1,"vCPU":2,"ram":2048,"disk":20}',
  requirements: '"requirements":{"gpu":"yes"},',
}

const volume: OrderExample = {
  kind: 'volume',
  type: 'VOLUME',
  className: 'VolumeOrder',
  name: 'data-1',
  request: { size: 10, requirements: {} },
  fields: (allocation) =>
    `"volumeSize":10,${allocation && `"actualAllocation":${allocation},`}"name":"data-1",`,
  nothingYet: '',
  allocation: { storage: 10 },
  occupied: '{"instances":1,"storage":10}',
  requirements: '"requirements":{},',
}

const network: OrderExample = {
  kind: 'network',
  type: 'NETWORK',
  className: 'NetworkOrder',
  name: 'net-1',
  request: { gateway: '10.5.0.1', cidr: '10.5.0.0/24', allocationMode: 'dynamic' },
  fields: () =>
    '"name":"net-1","gateway":"10.5.0.1","cidr":"10.5.0.0/24","allocationMode":"DYNAMIC",',
  nothingYet: '',
  allocation: null,
  occupied: '',
  requirements: '',
}

const attachment: OrderExample = {
  kind: 'attachment',
  type: 'ATTACHMENT',
  className: 'AttachmentOrder',
  name: `fogbow-${ID}`,
  request: { device: '/dev/sdb', computeId: 'order-c', volumeId: 'order-v' },
  fields: () => '"device":"/dev/sdb","computeOrderId":"order-c","volumeOrderId":"order-v",',
  nothingYet: '',
  allocation: null,
  occupied: '',
  requirements: '',
}

const publicIp: OrderExample = {
  kind: 'publicIp',
  type: 'PUBLIC_IP',
  className: 'PublicIpOrder',
  name: `fogbow-${ID}`,
  request: { computeId: 'order-c' },
  fields: () => '"computeOrderId":"order-c",',
  nothingYet: '',
  allocation: null,
  occupied: '',
  requirements: '',
}

const orders = [compute, volume, network, attachment, publicIp]

function orderJson(
  order: OrderExample,
  state: string,
  allocation: string,
  instanceId = '',
): string {
  return (
    `{${order.fields(allocation)}"id":"${ID}","orderState":"${state}","requester":"${A}","provider":"${B}",` +
    `"cloudName":"c1",${instanceId && `"instanceId":"${instanceId}",`}${order.requirements}` +
    `"systemUser":${ANA},"userId":"u1","identityProviderId":"${A}","type":"${order.type}"}`
  )
}

const orderParts = (order: OrderExample, json: string) =>
  `<order>${json}</order><orderClassName>cloud.fogbow.ras.core.models.orders.${order.className}</orderClassName>`

const known = (order: OrderExample, of: Record<string, unknown> = {}) => ({
  orderId: ID,
  generation: GENERATION,
  state: 'FULFILLED',
  faultMessage: null,
  instance: null,
  instanceId: 'i-0b1',
  allocation: order.allocation,
  kind: order.kind,
  cloudName: 'c1',
  name: order.name,
  request: order.request,
  owner: ana,
  ...of,
})

const creations = orders.map(
  (order): Golden => ({
    title: `7.1, ${order.kind}`,
    type: 'set',
    request: `<query xmlns='remoteCreateOrder'>${orderParts(order, orderJson(order, 'SELECTED', order.nothingYet))}</query>`,
    result: '',
    method: 'createOrder',
    params: {
      orderId: ID,
      kind: order.kind,
      cloudName: 'c1',
      name: order.name,
      request: order.request,
    },
    onBehalf: true,
    asks: [
      { method: 'readOrder', params: { orderId: ID }, says: NOT_FOUND },
      {
        method: 'createOrder',
        params: {
          orderId: ID,
          kind: order.kind,
          cloudName: 'c1',
          name: order.name,
          request: order.request,
        },
        says: { orderId: ID, generation: 1, state: 'OPEN' },
      },
    ],
  }),
)

const followed = (order: OrderExample) =>
  orderJson(order, 'FULFILLED', order.occupied, 'i-0b1').replace(
    /"userData":\[.*?\]/,
    '"userData":[]',
  )

const readings = orders.map(
  (order): Golden => ({
    title: `7.6, ${order.kind}`,
    type: 'get',
    request: `<query xmlns='remoteGetOrder'><orderId>${ID}</orderId></query>`,
    result: `<query xmlns='remoteGetOrder'>${orderParts(order, followed(order))}</query>`,
    method: 'getOrder',
    params: { kind: order.kind, orderId: ID },
    onBehalf: false,
    brings: {
      orderId: ID,
      state: 'FULFILLED',
      cloudName: 'c1',
      faultMessage: null,
      instanceId: 'i-0b1',
      allocation: order.allocation,
    },
    asks: [{ method: 'readOrder', params: { orderId: ID }, says: known(order) }],
  }),
)

interface InstanceExample {
  readonly order: OrderExample
  readonly className: string
  readonly json: string
  readonly instance: Record<string, unknown>
  /** Orders referred to, and their names. */
  readonly names: Readonly<Record<string, string>>
}

const shown = (state: string) =>
  `"state":"READY","cloudState":"${state}","isReady":true,"hasFailed":false,"faultMessage":"",` +
  `"id":"${ID}","provider":"${B}","cloudName":"c1"}`

const instances: readonly InstanceExample[] = [
  {
    order: compute,
    className: 'ComputeInstance',
    json:
      '{"name":"worker-1","vCPU":2,"ram":2048,"disk":20,"ipAddresses":["10.0.0.14"],' +
      `"networks":[{"id":"net-default","name":"default"},{"id":"${NETWORK_ID}","name":"net-1"}],"imageId":"img-7",` +
      '"publicKey":"ssh-ed25519 AAAAC3Nz \\u003cana \\u0026 \\u0027bob\\u0027\\u003e",' +
      '"userData":[{"extraUserDataFileContent":"IyEvYmluL3NoCg\\u003d\\u003d","extraUserDataFileType":"SHELL_SCRIPT","tag":"hello"}],' +
      shown('active'),
    instance: {
      state: 'READY',
      cloudState: 'active',
      name: 'worker-1',
      vCPU: 2,
      ram: 2048,
      disk: 20,
      ipAddresses: ['10.0.0.14'],
      networks: [{ id: 'net-default', name: 'default' }],
    },
    names: { [NETWORK_ID]: 'net-1' },
  },
  {
    order: volume,
    className: 'VolumeInstance',
    json: `{"name":"data-1","size":10,${shown('available')}`,
    instance: { state: 'READY', cloudState: 'available', name: 'data-1', size: 10 },
    names: {},
  },
  {
    order: network,
    className: 'NetworkInstance',
    json:
      '{"name":"net-1","cidr":"10.5.0.0/24","gateway":"10.5.0.1","allocationMode":"DYNAMIC","vLAN":"12",' +
      `"networkInterface":"eth1","MACInterface":"02:00","interfaceState":"up",${shown('active')}`,
    instance: {
      state: 'READY',
      cloudState: 'active',
      name: 'net-1',
      cidr: '10.5.0.0/24',
      gateway: '10.5.0.1',
      allocationMode: 'dynamic',
      vLAN: '12',
      networkInterface: 'eth1',
      macinterface: '02:00',
      interfaceState: 'up',
    },
    names: {},
  },
  {
    order: attachment,
    className: 'AttachmentInstance',
    json:
      '{"volumeId":"order-v","volumeName":"data-1","computeId":"order-c","computeName":"worker-1",' +
      `"device":"/dev/sdb",${shown('in-use')}`,
    instance: { state: 'READY', cloudState: 'in-use', device: '/dev/sdb' },
    names: { 'order-c': 'worker-1', 'order-v': 'data-1' },
  },
  {
    order: publicIp,
    className: 'PublicIpInstance',
    json: `{"ip":"192.0.2.7","computeId":"order-c","computeName":"worker-1",${shown('active')}`,
    instance: { state: 'READY', cloudState: 'active', ip: '192.0.2.7' },
    names: { 'order-c': 'worker-1' },
  },
]

const instanceReadings = instances.map(({ order, className, json, instance, names }): Golden => {
  const seen = { orderId: ID, generation: GENERATION, state: 'FULFILLED', instance }
  return {
    title: `7.8, ${order.kind}`,
    type: 'get',
    request:
      `${USER}<query xmlns='remoteGetInstance'><orderId>${ID}</orderId>` +
      `<instanceType>${order.type}</instanceType></query>`,
    result:
      `<query xmlns='remoteGetInstance'><instance>${json}</instance>` +
      `<instanceClassName>cloud.fogbow.ras.api.http.response.${className}</instanceClassName></query>`,
    method: 'getInstance',
    params: { kind: order.kind, orderId: ID },
    onBehalf: true,
    brings: {
      orderId: ID,
      state: 'FULFILLED',
      cloudName: 'c1',
      faultMessage: null,
      instanceId: 'i-0b1',
      allocation: order.allocation,
      instance,
    },
    asks: [
      { method: 'getInstance', params: { kind: order.kind, orderId: ID }, says: seen },
      { method: 'readOrder', params: { orderId: ID }, says: known(order) },
      ...Object.entries(names).map(([orderId, name]) => ({
        method: 'readOrder',
        params: { orderId },
        says: known(volume, { orderId, name }),
      })),
    ],
    also: {
      remoteGetOrder: `<query xmlns='remoteGetOrder'>${orderParts(order, followed(order))}</query>`,
    },
  }
})

const rule = {
  protocol: 'TCP',
  etherType: 'IPv4',
  direction: 'IN',
  portFrom: 22,
  portTo: 22,
  cidr: '0.0.0.0/0',
}
const RULE =
  '"protocol":"TCP","etherType":"IPv4","direction":"IN","portFrom":22,"portTo":22,"cidr":"0.0.0.0/0"'
const rules =
  `<query xmlns='remoteGetAllSecurityRules'><securityRuleList>[{${RULE},"id":"rule-31"}]</securityRuleList>` +
  '<imagesMapClassName>java.util.ArrayList</imagesMapClassName></query>'
const knownNetwork = {
  method: 'readOrder',
  params: { orderId: NETWORK_ID },
  says: known(network, { orderId: NETWORK_ID }),
}
const total = {
  instances: 10,
  vCPU: 20,
  ram: 40960,
  storage: 500,
  networks: 5,
  publicIps: -1,
  volumes: 20,
}
const used = {
  instances: 1,
  vCPU: 2,
  ram: 2048,
  storage: 0,
  networks: 0,
  publicIps: 0,
  volumes: 0,
}

const others: readonly Golden[] = [
  {
    title: '7.2',
    type: 'set',
    request:
      `<query xmlns='remoteDeleteOrder'><orderId>${ID}</orderId><instanceType>COMPUTE</instanceType></query>` +
      USER,
    result: '',
    method: 'deleteOrder',
    params: { kind: 'compute', orderId: ID },
    onBehalf: true,
    brings: undefined,
    asks: [{ method: 'deleteOrder', params: { kind: 'compute', orderId: ID }, says: undefined }],
  },
  {
    title: '7.3',
    type: 'set',
    request: `<query xmlns='remoteNotifyEvent'><orderId>${ID}</orderId></query>`,
    result: '',
    method: 'orderChanged',
    params: { orderId: ID, generation: 8, state: 'CLOSED' },
    onBehalf: false,
    brings: undefined,
    asks: [
      {
        method: 'orderChanged',
        params: { orderId: ID, generation: 1_000_000, state: 'CLOSED' },
        says: undefined,
      },
    ],
  },
  {
    title: '7.4 to a peer that does not tell the id',
    type: 'set',
    request:
      `<query xmlns='remoteCreateSecurityRule'><orderId>${NETWORK_ID}</orderId>${USER}` +
      `<securityRule>{${RULE}}</securityRule></query>`,
    result: '',
    method: 'createSecurityRule',
    params: { kind: 'network', orderId: NETWORK_ID, rule },
    onBehalf: true,
    brings: { id: 'rule-31' },
    asks: [],
    also: { remoteGetAllSecurityRules: rules },
    only: 'asking',
  },
  {
    title: '7.4',
    type: 'set',
    request:
      `<query xmlns='remoteCreateSecurityRule'><orderId>${NETWORK_ID}</orderId>${USER}` +
      `<securityRule>{${RULE}}</securityRule></query>`,
    result: "<query xmlns='remoteCreateSecurityRule'><ruleId>rule-31</ruleId></query>",
    method: 'createSecurityRule',
    params: { kind: 'network', orderId: NETWORK_ID, rule },
    onBehalf: true,
    brings: { id: 'rule-31' },
    asks: [
      knownNetwork,
      {
        method: 'createSecurityRule',
        params: { kind: 'network', orderId: NETWORK_ID, rule },
        says: { id: 'rule-31' },
      },
    ],
  },
  {
    title: '7.5',
    type: 'set',
    request: `<query xmlns='remoteDeleteSecurityRule'><cloudName>c1</cloudName>${USER}<ruleId>rule-31</ruleId></query>`,
    result: '',
    method: 'deleteSecurityRule',
    params: { kind: 'network', orderId: NETWORK_ID, ruleId: 'rule-31', cloudName: 'c1' },
    onBehalf: true,
    brings: undefined,
    asks: [],
    only: 'asking',
  },
  ...readings,
  {
    title: '7.7',
    type: 'get',
    request: `<query xmlns='remoteGetUserQuota'><cloudName>c1</cloudName>${USER}</query>`,
    result:
      `<query xmlns='remoteGetUserQuota'><userQuota>{"totalQuota":${JSON.stringify(total)},"usedQuota":${JSON.stringify(used)},` +
      '"availableQuota":{"instances":9,"vCPU":18,"ram":38912,"storage":500,"networks":5,"publicIps":-1,"volumes":20}}</userQuota>' +
      '<userQuotaClassName>cloud.fogbow.ras.api.http.response.quotas.ResourceQuota</userQuotaClassName></query>',
    method: 'getQuota',
    params: { cloudName: 'c1' },
    onBehalf: true,
    brings: { totalQuota: total, usedQuota: used },
    asks: [
      {
        method: 'getQuota',
        params: { cloudName: 'c1' },
        says: { totalQuota: total, usedQuota: used },
      },
    ],
  },
  {
    title: '7.9',
    type: 'get',
    request: `<query xmlns='remoteGetAllImages'><cloudName>c1</cloudName>${USER}</query>`,
    result:
      '<query xmlns=\'remoteGetAllImages\'><imageSummaryList>[{"id":"img-7","name":"debian-12"}]</imageSummaryList>' +
      '<imageSummaryListClassName>java.util.ArrayList</imageSummaryListClassName></query>',
    method: 'listImages',
    params: { cloudName: 'c1' },
    onBehalf: true,
    brings: [{ id: 'img-7', name: 'debian-12' }],
    asks: [
      {
        method: 'listImages',
        params: { cloudName: 'c1' },
        says: [{ id: 'img-7', name: 'debian-12' }],
      },
    ],
  },
  {
    title: '7.10',
    type: 'get',
    request: `<query xmlns='remoteGetImage'><cloudName>c1</cloudName><imageId>img-7</imageId>${USER}</query>`,
    result:
      '<query xmlns=\'remoteGetImage\'><image>{"name":"debian-12","size":2147483648,"minDisk":3,"minRam":512,"status":"active","id":"img-7"}</image>' +
      '<imageClassName>cloud.fogbow.ras.api.http.response.ImageInstance</imageClassName></query>',
    method: 'getImage',
    params: { cloudName: 'c1', id: 'img-7' },
    onBehalf: true,
    brings: {
      name: 'debian-12',
      size: 2_147_483_648,
      minDisk: 3,
      minRam: 512,
      status: 'active',
      id: 'img-7',
    },
    asks: [
      {
        method: 'getImage',
        params: { cloudName: 'c1', id: 'img-7' },
        says: {
          id: 'img-7',
          name: 'debian-12',
          size: 2_147_483_648,
          minDisk: 3,
          minRam: 512,
          status: 'active',
        },
      },
    ],
  },
  {
    title: '7.11',
    type: 'get',
    request: `<query xmlns='remoteGetCloudNames'>${USER}</query>`,
    result:
      '<query xmlns=\'remoteGetCloudNames\'><cloudNamesList>["c1","c2"]</cloudNamesList>' +
      '<cloudNamesListClassName>java.util.ArrayList</cloudNamesListClassName></query>',
    method: 'listClouds',
    params: {},
    onBehalf: true,
    brings: ['c1', 'c2'],
    asks: [{ method: 'listClouds', params: {}, says: ['c1', 'c2'] }],
  },
  {
    title: '7.12',
    type: 'get',
    request: `<query xmlns='remoteGetAllSecurityRules'>${USER}<orderId>${NETWORK_ID}</orderId></query>`,
    result: rules,
    method: 'listSecurityRules',
    params: { kind: 'network', orderId: NETWORK_ID },
    onBehalf: true,
    brings: [{ ...rule, id: 'rule-31' }],
    asks: [
      knownNetwork,
      {
        method: 'listSecurityRules',
        params: { kind: 'network', orderId: NETWORK_ID },
        says: [{ id: 'rule-31', ...rule }],
      },
    ],
  },
]

/** Every method of the reference, in the order of its chapters as far as it goes. */
export const goldens: readonly Golden[] = [...creations, ...others, ...instanceReadings]
