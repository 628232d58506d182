import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createXmppComponent } from '../../../core/federation/xmpp/index.ts'
import type { FederatedSite } from '../sites/federated-site.ts'
import {
  COMPONENT_PORT,
  type Federation,
  jidOf,
  startFederation,
  threeSites,
} from '../sites/federation-sites.ts'
import { readMetrics, refusalsOf } from '../sites/metrics.ts'
import type { Passing } from '../sites/stanza-wire.ts'
import { eventually, openTrade, type Trade } from './trade.ts'

/** What goes wrong between real sites behind real servers. Each order has to come out as its user wished it. */
let federation: Federation
let trade: Trade
/** Behind Prosody, Prosody and ejabberd. */
let a: FederatedSite
let b: FederatedSite
let e: FederatedSite

const MANY_IMAGES = 1000
const log = { info() {}, warn() {}, error() {} }
const settings = {
  emulated: {
    delaysMs: { create: 20, call: 5 },
    quota: { volumes: -1, storage: -1 },
    images: Array.from({ length: MANY_IMAGES }, (_, n) => ({
      id: `image-${n}`,
      name: `${'An image of which there are many. '.repeat(4)}${n}`,
    })),
  },
  orders: { firstRetryMs: 100, longestRetryMs: 2000, longestCheckMs: 1000, settleMs: 500 },
}

before(async () => {
  federation = await startFederation({ sites: threeSites, settings })
  ;[a, b, e] = federation.sites as [FederatedSite, FederatedSite, FederatedSite]
  trade = openTrade(federation)
})
after(() => federation?.stop())

/** Orders both ways between two sites while something is broken, and more once it is mended. */
async function through(
  [one, other]: [FederatedSite, FederatedSite],
  broken: () => Promise<void>,
  mend: () => Promise<void> | void = () => {},
): Promise<void> {
  const before = await Promise.all([trade.orders(one, other, 3), trade.orders(other, one, 3)])
  const [, during] = await Promise.all([broken(), trade.orders(one, other, 3)])
  await mend()
  const [afterwards, back] = await Promise.all([trade.order(one, other), trade.order(other, one)])
  await trade.until(one, [...before[0], ...during, afterwards], 'READY')
  await trade.until(other, [...before[1], back], 'READY')
}

const isResult =
  (method: string, seen: Set<string>) =>
  ({ type, direction, id, method: asked }: Passing): boolean => {
    if (type === 'set' && direction === 'in' && asked === method) seen.add(id)
    return type === 'result' && direction === 'out' && seen.has(id)
  }

function errorStanza({ id, from, to }: Passing, condition: string): string {
  const error = `<error type='wait'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`
  return `<iq type='error' id='${id}' from='${from}' to='${to}'>${error}</iq>`
}

/** The same to both providers of one site at a time, one behind Prosody and one behind ejabberd. */
async function throughBoth(
  broken: (provider: FederatedSite) => Promise<void>,
  mend?: (provider: FederatedSite) => Promise<void> | void,
): Promise<void> {
  await Promise.all(
    [b, e].map((provider) =>
      through(
        [a, provider],
        () => broken(provider),
        () => mend?.(provider),
      ),
    ),
  )
}

test('the servers of providers are killed with orders under way, and then those of both sides', async () => {
  await throughBoth(
    async ({ server }) => {
      await server.kill()
      await pause(1500)
    },
    ({ server }) => server.start(),
  )
  await through(
    [a, b],
    async () => {
      await Promise.all([a.server.kill(), b.server.kill()])
      await pause(500)
    },
    async () => void (await Promise.all([a.server.start(), b.server.start()])),
  )
})

test('servers are restarted as administrators do, with calls in flight', () =>
  throughBoth(async ({ server }) => {
    await server.stop()
    await server.start()
  }))

test('servers are frozen for a while, and go on as if nothing had been', () =>
  throughBoth(
    async ({ server }) => {
      server.freeze()
      await pause(4000)
    },
    ({ server }) => server.thaw(),
  ))

test('the links between servers are reset hundreds of times, and servers survive it', () =>
  throughBoth(async (provider) => {
    for (let n = 0; n < 300; n += 1) {
      if (n % 30 === 0) await trade.orders(a, provider, 2)
      void a
        .client()
        .get(`/ras/images/${provider.id}/emulated`)
        .catch(() => {})
      provider.front.reset()
      a.front.reset()
      await pause(10)
    }
  }))

test('the links of sites to their own servers are cut, at the providers and at the requester', async () => {
  const cut = async ({ link }: FederatedSite) => {
    link.cut()
    await pause(2000)
  }
  await throughBoth(cut, ({ link }) => link.mend())
  await through(
    [b, a],
    () => cut(a),
    () => a.link.mend(),
  )
})

test('the server of the provider takes no connections, also after which ejabberd would wait for minutes', async () => {
  for (const [one, other] of [
    [a, b],
    [e, b],
  ] as const)
    await through(
      [one, other],
      async () => {
        other.front.cut()
        await pause(2000)
      },
      () => other.front.mend(),
    )
})

test('whatever is lost for longer than callers wait ends the same: replies and packets', async (t) => {
  await Promise.all([
    t.test('replies come after the time-out, and are lost before that', async () => {
      const seen = new Set<string>()
      const isReply = isResult('createOrder', seen)
      let lost = 0
      b.link.obey((stanza) => {
        if (!isReply(stanza)) return [stanza.xml]
        lost += 1
        if (lost <= 3) return []
        return pause(17_000).then(() => [stanza.xml])
      })
      const ids = await trade.orders(a, b, 6)
      await trade.until(a, ids, 'READY')
      await eventually('a reply that was held back', () => lost >= 6)
      b.link.obey(undefined)
    }),
    t.test(
      'packets between servers vanish, and arrive when the callers have given up',
      async () => {
        const before = await trade.orders(a, e, 3)
        e.front.blackhole()
        const during = await trade.orders(a, e, 3)
        await pause(17_000)
        e.front.mend()
        await trade.until(a, [...before, ...during], 'READY')
      },
    ),
  ])
})

test('packets vanish, and the server behind them is restarted meanwhile', () =>
  through(
    [e, b],
    async () => {
      b.front.blackhole()
      await pause(1000)
      await b.server.stop()
      await b.server.start()
    },
    () => {
      b.front.mend()
      b.front.reset()
    },
  ))

test('every request arrives three times, and a copy of each long after what it made was deleted', async () => {
  const late = new Map<FederatedSite, string[]>([
    [b, []],
    [e, []],
  ])
  for (const [site, copies] of late)
    site.link.obey(({ xml, direction, type, method = '' }) => {
      if (direction !== 'in' || type !== 'set') return [xml]
      if (method.startsWith('create')) copies.push(copyOf(xml, 'late'))
      return [xml, copyOf(xml, 'second'), copyOf(xml, 'third')]
    })
  const ids = [...(await trade.orders(a, b, 5)), ...(await trade.orders(a, e, 5))]
  const networks = await Promise.all([trade.network(a, b), trade.network(a, e)])
  await trade.until(a, ids, 'READY')
  const rules = await Promise.all(networks.map(ruleThatGoes))
  for (const id of ids) await trade.remove(a, id)
  await trade.until(a, ids, 'GONE')
  for (const [site, copies] of late) {
    assert.ok(copies.length >= 7, `${copies.length} copies`)
    site.link.obey(({ xml, direction }) =>
      direction === 'in' ? [xml, ...copies.splice(0)] : [xml],
    )
  }
  await federation.isWhole()
  for (const [site, copies] of late) {
    assert.equal(copies.length, 0)
    site.link.obey(undefined)
  }
  await trade.until(a, ids, 'GONE')
  for (const path of rules) assert.deepEqual((await a.client().get(path)).body, [])
})

/** A rule is made and deleted. @returns where those of the network are listed */
async function ruleThatGoes(network: string): Promise<string> {
  const path = `/ras/networks/${network}/securityRules`
  const range = { cidr: '0.0.0.0/0', portFrom: 22, portTo: 22 }
  const kind = { direction: 'IN', protocol: 'TCP', etherType: 'IPv4' }
  const id = await a.client().create(path, { ...kind, ...range })
  assert.equal((await a.client().delete(`${path}/${id}`)).status, 200)
  return path
}

function copyOf(xml: string, name: string): string {
  return xml.replace(/\bid=(['"])/, `id=$1${name}-`)
}

test('servers say that they are too busy, or that it is against a policy, after it was carried out', async () => {
  for (const condition of ['resource-constraint', 'policy-violation', 'remote-server-timeout']) {
    const seen = new Set<string>()
    const isReply = isResult('createOrder', seen)
    let refused = 0
    b.link.obey((stanza) => {
      if (!isReply(stanza) || refused >= 4) return [stanza.xml]
      refused += 1
      return [errorStanza(stanza, condition)]
    })
    await trade.until(a, await trade.orders(a, b, 4), 'READY')
    b.link.obey(undefined)
    assert.equal(refused, 4, condition)
  }
})

test('a reply larger than a stanza comes in pieces, and a slow reader does not hold up others', async () => {
  const images = async () => {
    const { body } = await a.client().get(`/ras/images/${b.id}/emulated`)
    return Object.keys(body as object).length
  }
  assert.equal(await images(), MANY_IMAGES)
  b.link.slowDown(40_000)
  try {
    const slow = trade.orders(a, b, 3)
    const reading = Promise.allSettled([images(), images(), images()])
    await trade.until(a, await trade.orders(a, e, 3), 'READY')
    await trade.until(a, await slow, 'READY')
    await reading
  } finally {
    b.link.slowDown(undefined)
  }
  await federation.isWhole()
  assert.equal(await images(), MANY_IMAGES)
})

test('a flood of calls of one site is answered, and leaves another served', async () => {
  const id = await trade.order(a, b)
  await trade.until(a, id, 'READY')
  const calls = Array.from({ length: 600 }, async (_, n) => {
    const client = a.client()
    const path = n % 2 ? `/ras/volumes/${id}` : `/ras/clouds/${b.id}`
    return (await client.get(path)).status
  })
  const [ofAnother, many] = await Promise.all([trade.orders(e, b, 5), trade.orders(a, b, 40)])
  await trade.until(e, ofAnother, 'READY')
  await trade.until(a, many, 'READY')
  const statuses = await Promise.all(calls)
  const others = statuses.filter((status) => status !== 200 && status !== 503)
  assert.deepEqual(others, [])
  assert.ok(statuses.filter((status) => status === 200).length > 300)
})

test('the requester is away when the push comes', async () => {
  const ids = await trade.orders(a, b, 3)
  await eventually('the provider was asked', async () => {
    const { body } = await a.client().get('/ras/volumes/status')
    const mine = (body as { instanceId: string; state: string }[]).filter(({ instanceId }) =>
      ids.includes(instanceId),
    )
    return mine.some(({ state }) => state !== 'DISPATCHED')
  })
  await a.kill()
  await pause(1000)
  await a.start()
  await trade.until(a, ids, 'READY')
})

test('the provider is away for long, and orders wait for it', async () => {
  await b.end()
  const ids = await trade.orders(a, b, 3)
  const deleted = (await trade.order(a, b)) as string
  await pause(8000)
  await trade.remove(a, deleted)
  await b.start()
  await trade.until(a, ids, 'READY')
  await trade.until(a, deleted, 'GONE')
})

test('second processes take the names of sites, have no keys, and can neither answer nor stay', async () => {
  await Promise.all(
    [b, e].map(async (victim) => {
      const secret = readFileSync(victim.setUp.result.secretFile, 'utf8').trim()
      const server = { host: victim.server.address, port: COMPONENT_PORT }
      const second = createXmppComponent({ jid: jidOf(victim.id), ...server, secret }, { log })
      second.start()
      await eventually('the second process is linked', () => second.link.state === 'online')
      const ids = await trade.orders(a, victim, 3)
      await pause(1000)
      await second.stop()
      // Its administrator finds out, and starts it again.
      await victim.kill()
      await victim.start()
      await trade.until(a, ids, 'READY')
    }),
  )
})

test('a site has the wrong secret, and is told so until its administrator mends it', async () => {
  const file = b.setUp.result.secretFile
  const secret = readFileSync(file, 'utf8')
  const ids = await trade.orders(a, b, 2)
  writeFileSync(file, 'wrong\n')
  await b.kill()
  await b.start()
  await eventually('the site says so', () => /not-authorized/.test(b.process.output))
  writeFileSync(file, secret)
  await b.kill()
  await b.start()
  await trade.until(a, ids, 'READY')
})

test('clocks differ: within the budget nothing is lost, beyond it nothing is believed until they are set', async () => {
  const preload = join(import.meta.dirname, 'fixtures/skewed-clock.mjs')
  const restart = async (site: FederatedSite, aheadMs: number) => {
    await site.kill()
    const env = { NODE_OPTIONS: `--import=${preload}`, CLOCK_AHEAD_MS: String(aheadMs) }
    await site.start({ env })
  }
  await Promise.all([restart(b, 20_000), restart(e, -20_000)])
  await trade.until(
    a,
    [...(await trade.orders(a, b, 2)), ...(await trade.orders(a, e, 2))],
    'READY',
  )
  const before = await refusalsOf(a, 'not-yet-valid')
  await Promise.all([restart(b, 38_000), restart(e, 0)])
  const ids = await trade.orders(a, b, 2)
  const back = await trade.orders(b, a, 1)
  await eventually('it is counted', async () => (await refusalsOf(a, 'not-yet-valid')) > before)
  await restart(b, 0)
  await trade.until(a, ids, 'READY')
  await trade.until(b, back, 'READY')
})

test('the disk of the provider, and then of the requester, is full for a while', async () => {
  for (const victim of [b, a]) {
    const { pid } = victim.process.process
    const limit = (bytes: string) =>
      execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`])
    limit('1')
    const client = a.client()
    const wanted = { provider: b.id, cloudName: 'emulated', size: 1 }
    const key = `full-disk-${victim.id}`
    const headers = { 'Idempotency-Key': key }
    const first = await client.post('/ras/volumes', wanted, { headers })
    if (victim === a) assert.ok(first.status >= 500, String(first.status))
    await pause(1500)
    limit('unlimited')
    const id = await orderOnce(victim === a ? undefined : first.body, wanted, headers)
    await trade.until(a, id, 'READY')
  }

  async function orderOnce(body: unknown, wanted: object, headers: Record<string, string>) {
    const { id } = (body ?? {}) as { id?: string }
    const again = await a.client().post('/ras/volumes', wanted, { headers })
    assert.equal(again.status, 201, JSON.stringify(again.body))
    const made = (again.body as { id: string }).id
    if (id) assert.equal(made, id)
    trade.adopt(made)
    return made
  }
})

test('the provider changes its key, which its members learn under the one before', async () => {
  const cli = join(import.meta.dirname, '../../../core/cli/bin.mjs')
  const key = (...args: string[]) =>
    execFileSync(process.execPath, [cli, 'federation', 'key', ...args], {
      cwd: b.setUp.folder,
      env: { ...process.env, FOGBOW_DATA_DIR: b.setUp.dataDir },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  const restart = async () => {
    await b.end()
    await b.start()
    await federation.isWhole()
  }
  const under = await trade.orders(a, b, 2)
  for (const step of [['next'], ['rotate'], ['rotate', '--finish']]) {
    key(...step)
    await restart()
    await trade.until(a, [...under, await trade.order(a, b)], 'READY')
    await trade.until(b, await trade.order(b, e), 'READY')
  }
  for (const site of [a, e]) {
    await site.kill()
    await site.start()
  }
  await trade.until(a, await trade.order(a, b), 'READY')
})

test('after all of it every outcome is known, at both sides the same, and no cloud holds more', async () => {
  await federation.isWhole()
  for (const site of federation.sites) {
    const metrics = await readMetrics(site)
    assert.equal(metrics.get('fogbow_federation_online'), 1)
  }
  assert.deepEqual(await trade.close(), [])
})
