import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  type ClosedSites,
  fogbow,
  type RunningSite,
  startClosedSites,
  trade,
} from './closed-sites.ts'
import { type Machine, whyNoMachines } from './machine.ts'
import { knocks, type Ports, probe, type Seen } from './probe.ts'

const skip = whyNoMachines() ?? false
let closed: ClosedSites
let north: RunningSite
let west: RunningSite
let south: RunningSite

before(async () => {
  if (skip) return
  closed = await startClosedSites()
  ;[north, west, south] = closed.sites as [RunningSite, RunningSite, RunningSite]
})
after(() => closed?.stop())

const openOf = ({ network }: RunningSite) => network.addresses.open
const privateOf = ({ network: { addresses } }: RunningSite) => [
  addresses.gatewayInside,
  addresses.host,
  addresses.desk,
]
/** Everything that has an address, apart from what the Internet may see. */
const hiddenOf = (site: RunningSite) => {
  const { server, gatewayOutside } = site.network.addresses
  return [server, gatewayOutside, ...privateOf(site)]
}

const silent = (address: string, ports?: Ports): Seen => ({
  ...{ address, open: [], refused: 0 },
  silent: knocks(ports),
})
const only = (port: string, address: string): Seen => ({
  ...{ address, open: [port], refused: 0 },
  silent: knocks() - 1,
})

/** New connections that came into a private network, or to the gateway before it, let in or not. */
const cameInside = ({ watches: { gateway, host, desk } }: RunningSite) =>
  [gateway, host, desk].map((watch) => watch.count('arrived'))

test('through closed firewalls a compute is ordered, used and given back, and nothing dials in', {
  skip,
}, async () => {
  for (const [home, provider] of [
    [north, south],
    [south, west],
  ] as const) {
    const seen = await trade(home, provider)
    assert.equal(seen.states.at(-1), 'READY')
    assert.equal(seen.instance.provider, provider.id)
    assert.equal(seen.statusAfter, 404)
    assert.equal(seen.reachedProvider, false)
    const audit = JSON.parse(await fogbow(provider, ['audit', '--json']))
    const served = audit.filter(({ orderId }: { orderId?: string }) => orderId === seen.orderId)
    assert.ok(served.length > 0, `${provider.id} served the order of ${home.id}`)
  }
  for (const site of closed.sites) {
    assert.deepEqual(cameInside(site), [0, 0, 0])
    const { server } = site.watches
    assert.equal(server.count('components'), 1, 'the host dialled out, and once')
    assert.ok(server.count('servers') > 0)
    assert.equal(server.count('arrived'), server.count('servers'))
  }
})

test('a host that sees nothing but its server is told by the doctor that all is well', {
  skip,
}, async () => {
  const args = ['federation', 'doctor', '--json', '--authority', north.authorityFile]
  const findings: { check: string; about: string; verdict: string }[] = JSON.parse(
    await fogbow(north, args),
  )
  const pings = findings.filter(({ check }) => check === 'signed ping')
  assert.deepEqual(
    pings.map(({ about, verdict }) => [about, verdict]),
    [
      [west.id, 'ok'],
      [south.id, 'ok'],
    ],
  )
  const unknown = findings.filter(({ verdict }) => verdict !== 'ok')
  assert.deepEqual(
    unknown.map(({ check, verdict }) => [check, verdict]),
    closed.sites.map(() => ['DNS', 'unknown']),
    'there is no DNS inside',
  )
})

test('from the Internet TCP 5269 of each server is open, and everything else is silent', {
  skip,
}, async () => {
  const { outsider } = closed.network
  const arrived = () => closed.sites.map(({ watches }) => watches.server.count('arrived'))
  const before = arrived()
  const open = closed.sites.map(openOf)
  const hidden = closed.sites.flatMap(hiddenOf)
  assert.deepEqual(await probe(outsider, [...open, ...hidden]), [
    ...open.map((address) => only('tcp/5269', address)),
    ...hidden.map((address) => silent(address)),
  ])
  const six = closed.sites.map(({ network }) => linkLocal(network.server, 'inet0'))
  assert.deepEqual(
    await probe(outsider, six),
    six.map((address) => silent(address)),
  )
  const knocked = knocks() * (1 + hiddenOf(north).length + 1)
  for (const [n, count] of arrived().entries())
    assert.ok(count - (before[n] ?? 0) >= knocked, 'no knock was lost before the wall')
  for (const site of closed.sites) assert.deepEqual(cameInside(site), [0, 0, 0])
})

test('who takes over a server gets no answer of its private network, nor more of another site than anybody', {
  skip,
}, async () => {
  const { addresses, server } = north.network
  const inside = [addresses.gatewayOutside, ...privateOf(north)]
  assert.deepEqual(
    await probe(server, inside),
    inside.map((address) => silent(address)),
  )
  const [gateway = 0, host, desk] = cameInside(north)
  assert.ok(gateway >= knocks() * inside.length, 'no knock was lost before the wall')
  assert.deepEqual([host, desk], [0, 0])
  assert.deepEqual(await probe(server, [openOf(west), ...hiddenOf(west)]), [
    only('tcp/5269', openOf(west)),
    ...hiddenOf(west).map((address) => silent(address)),
  ])
})

test('who takes over a host reaches the component port of its server, and no other', {
  skip,
}, async () => {
  const { server, host } = { ...north.network, server: north.network.addresses.server }
  assert.deepEqual(await probe(host, [server]), [only('tcp/5347', server)])
})

test('without the rules the probe sees what they hid, and each wall holds without the others', {
  skip,
}, async () => {
  const { outsider } = closed.network
  const { addresses, server } = north.network
  // Of the component and of REST: few enough that no answer is missed.
  const component = { first: 5340, last: 5350 }
  const rest = { first: 8075, last: 8085 }
  const look = async (from: Machine, address: string, at: Ports = rest) => {
    const [seen] = await probe(from, [address], at)
    return seen ?? assert.fail()
  }
  north.open('server')
  server.run(['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])
  const shown = await look(outsider, addresses.server, component)
  assert.deepEqual([shown.open, shown.refused > 0], [['tcp/5347'], true])
  for (const address of [addresses.host, addresses.desk])
    assert.deepEqual(await look(outsider, address), silent(address, rest), 'the gateway holds')
  north.open('gateway')
  const host = await look(outsider, addresses.host)
  assert.deepEqual([host.open, host.refused > 0], [['tcp/8080'], true])
  assert.ok((await look(outsider, addresses.desk)).refused > 0)
  const fromServer = await look(server, addresses.host)
  assert.deepEqual(fromServer, silent(addresses.host, rest), 'the host holds')
  north.open('host')
  assert.deepEqual((await look(server, addresses.host)).open, ['tcp/8080'])
  assert.ok(north.watches.host.count('arrived') > 0 && north.watches.desk.count('arrived') > 0)
  server.run(['sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward'])
  for (const machine of ['server', 'gateway', 'host'] as const) north.close(machine)
  for (const address of hiddenOf(north))
    for (const at of [component, rest])
      assert.deepEqual(await look(outsider, address, at), silent(address, at))
  assert.ok((await trade(north, west)).states.includes('READY'), 'and the sites go on')
})

test('at the end nothing is left of it', { skip }, async () => {
  const { machines } = closed.network
  assert.ok(machines.some((machine) => machine.processes().length > 0))
  await closed.stop()
  assert.deepEqual(
    machines.flatMap((machine) => machine.processes()),
    [],
  )
})

function linkLocal(machine: Machine, name: string): string {
  const [
    {
      addr_info: [{ local }],
    },
  ] = JSON.parse(machine.run(['ip', '-j', '-6', 'address', 'show', 'dev', name, 'scope', 'link']))
  return `${local}%${name}`
}
