import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { contracts } from '../contracts/index.ts'
import { FogbowError } from '../errors.ts'
import type { PluginDefinition, PluginHost, PluginParts } from '../index.ts'
import { startInProcess } from './caller.ts'
import { type ConformanceCase, conformance } from './conformance.ts'
import { createFakeClock } from './fake-clock.ts'
import { createFakeHost } from './fake-host.ts'
import type { Samples } from './samples.ts'

/** What is wrong with a plugin under test. */
type Defect = Record<string, boolean>

async function failuresOf(
  create: (host: PluginHost) => PluginParts,
  samples: Samples = {},
): Promise<ConformanceCase[]> {
  const definition: PluginDefinition<Record<string, unknown>> = { create }
  let host = createFakeHost({ clock: createFakeClock(Date.UTC(2030, 0, 1), true) })
  const cases = conformance(await startInProcess(definition, host), {
    samples,
    patienceMs: 1000,
    advance: (ms) => host.clock.advance(ms),
    async restart() {
      host = host.restarted()
      return startInProcess(definition, host)
    },
  })
  const failed: ConformanceCase[] = []
  for (const each of cases) {
    const passed = await each.run().then(
      () => true,
      () => false,
    )
    if (!passed) failed.push(each)
  }
  return failed
}

/** Each defect is found, by the case that is there for it. */
function detects(
  defects: Record<string, RegExp>,
  create: (defect: Defect) => (host: PluginHost) => PluginParts,
  samples?: Samples,
) {
  test('a plugin without defect passes', async () => {
    assert.deepEqual(await failuresOf(create({}), samples), [])
  })
  for (const [defect, expected] of Object.entries(defects)) {
    test(`found: ${defect}`, async () => {
      const failed = await failuresOf(create({ [defect]: true }), samples)
      const names = failed.map(({ kind, name }) => `${kind}: ${name}`)
      assert.ok(
        names.some((name) => expected.test(name)),
        `failed were: ${names.join(' / ') || 'none'}`,
      )
    })
  }
}

test('every plugin kind has cases of its own', async () => {
  const caller = await startInProcess({ create: () => ({}) }, createFakeHost())
  for (const kind of Object.keys(contracts)) {
    const cases = conformance(caller, { kinds: [kind] })
    assert.ok(cases.length > 1, `${kind} has ${cases.length}`)
    assert.ok(cases.every((each) => each.kind === kind))
  }
})

test('a required method that is missing is named', async () => {
  const caller = await startInProcess({ create: () => ({}) }, createFakeHost())
  const [first] = conformance(caller, { kinds: ['image'] })
  await assert.rejects(first?.run() ?? Promise.resolve(), /getAllImages, getImage/)
})

describe('ordered kinds', () => {
  const notFound = () => new FogbowError('instance_not_found', 'there is no such volume')

  function volumes(defect: Defect) {
    return ({ storage }: PluginHost): PluginParts => {
      const memory = new Map<string, { instanceId: string; size: number }>()
      let made = 0
      const load = async (orderId: string) =>
        defect.forgetsAtRestart ? memory.get(orderId) : await storage.get(orderId)
      const save = async (orderId: string, volume: { instanceId: string; size: number }) => {
        memory.set(orderId, volume)
        await storage.set(orderId, volume)
      }
      const find = async (instanceId: string | undefined) =>
        (await storage.list('')).find(
          ({ value }) => (value as { instanceId: string }).instanceId === instanceId,
        )
      const used = async () => (await storage.list('')).length + (defect.leaksQuota ? made : 0)
      return {
        volume: {
          async requestInstance({ orderId, request }) {
            made++
            if (defect.slow) await new Promise((resolve) => setTimeout(resolve, 1))
            const known = defect.notIdempotent ? undefined : await load(orderId)
            if (defect.slow) await new Promise((resolve) => setTimeout(resolve, 1))
            const again = known as { instanceId: string } | undefined
            const isSafe = !defect.slow && !defect.notIdempotent && !defect.forgetsAtRestart
            const fresh = isSafe ? `volume-${orderId}` : crypto.randomUUID()
            const instanceId = again?.instanceId ?? fresh
            await save(orderId, { instanceId, size: request.size })
            return defect.answersNoId ? ({} as never) : { instanceId }
          },
          async getInstance({ instanceId }) {
            const found = await find(instanceId)
            if (!found && defect.unknownIsNull) return undefined as never
            if (!instanceId && defect.nothingIsStrange)
              throw new FogbowError('unavailable_provider', 'a list, and no volume')
            if (!found) throw defect.unknownIsInternal ? new Error('null') : notFound()
            const state = defect.neverReady ? 'CREATING' : 'READY'
            return { state, cloudState: 'there', size: 1 }
          },
          async deleteInstance({ orderId, instanceId }) {
            if (defect.needsInstanceId && !instanceId) return
            const found = await find(instanceId)
            if (instanceId && !found && defect.goneIsError) throw notFound()
            if (defect.deletesAll) {
              for (const { key } of await storage.list('')) await storage.delete(key)
            }
            if (!defect.deletesNothing) await storage.delete(found?.key ?? orderId)
          },
        },
        quota: {
          async getUserQuota() {
            const none = { vCPU: 0, ram: 0, storage: 0, instances: 0, networks: 0, publicIps: 0 }
            return {
              totalQuota: { ...none, volumes: 100 },
              usedQuota: { ...none, volumes: await used() },
            }
          },
        },
      }
    }
  }

  detects(
    {
      notIdempotent: /requestInstance twice with one order id/,
      slow: /requestInstance at the same time/,
      forgetsAtRestart: /again after a restart/,
      answersNoId: /an instance that was requested becomes ready/,
      neverReady: /an instance that was requested becomes ready/,
      unknownIsNull: /getInstance of something unknown/,
      unknownIsInternal: /getInstance of something unknown/,
      nothingIsStrange: /getInstance of an order that made nothing/,
      goneIsError: /deleteInstance of something gone succeeds/,
      needsInstanceId: /deleteInstance without instance id/,
      deletesNothing: /deleteInstance makes the instance disappear/,
      deletesAll: /deleting one leaves the other/,
      leaksQuota: /quota used grows .* and shrinks/,
    },
    volumes,
  )
})

describe('power and snapshots', () => {
  function computes(defect: Defect) {
    return ({ storage }: PluginHost): PluginParts => {
      const images = async () => (await storage.list('image/')).map(({ value }) => value as Image)
      const change =
        (to: string, from: string[]) =>
        async ({ instanceId = '' }) => {
          const state = (await storage.get(instanceId)) as string | undefined
          if (!state && !defect.actsOnNothing)
            throw new FogbowError('instance_not_found', 'there is no such compute')
          const isPossible = from.includes(String(state)) || (state === to && !defect.notTwice)
          if (state && !isPossible)
            throw new FogbowError('unacceptable_operation', `it is ${state}`)
          if (state && !defect.ignoresActions) await storage.set(instanceId, to)
        }
      const resumeInstance = change('READY', ['PAUSED'])
      return {
        compute: {
          async requestInstance({ orderId }) {
            const instanceId = `compute-${orderId}`
            if (!(await storage.get(instanceId))) await storage.set(instanceId, 'READY')
            return { instanceId }
          },
          async getInstance({ instanceId = '' }) {
            const state = (await storage.get(instanceId)) as 'READY' | 'PAUSED' | undefined
            if (!state) throw new FogbowError('instance_not_found', 'there is no such compute')
            return { state, cloudState: 'x', vCPU: 1, ram: 1, disk: 1 }
          },
          deleteInstance: async ({ orderId }) => storage.delete(`compute-${orderId}`),
          pauseInstance: change('PAUSED', ['READY']),
          ...(!defect.staysPaused && { resumeInstance }),
          async takeSnapshot({ instanceId = '' }, name) {
            if (!(await storage.get(instanceId)))
              throw new FogbowError('instance_not_found', 'there is no such compute')
            if (!defect.forgetsImages) await storage.set(`image/${name}`, { id: name, name })
          },
        },
        image: {
          getAllImages: async () => [{ id: 'a', name: 'A' }, ...(await images())],
          async getImage(id) {
            const known = [{ id: 'a', name: 'A' }, ...(await images())]
            const found = known.find((image) => image.id === id)
            if (!found) throw new FogbowError('instance_not_found', 'there is no such image')
            return { size: -1, minDisk: -1, minRam: -1, ...found }
          },
        },
      }
    }
  }
  interface Image {
    id: string
    name: string
  }

  test('a plugin whose only fault is to take unknown images is found', async () => {
    const names = (await failuresOf(computes({}))).map(({ name }) => name)
    assert.deepEqual(names, ['a request that names something unknown is refused, and says what'])
  })
  for (const [defect, expected] of Object.entries({
    actsOnNothing: /pauseInstance of something unknown/,
    notTwice: /repeating it does no harm/,
    ignoresActions: /pauseInstance leads to PAUSED/,
    staysPaused: /back to READY with resume/,
    forgetsImages: /takeSnapshot makes an image/,
  })) {
    test(`found: ${defect}`, async () => {
      const names = (await failuresOf(computes({ [defect]: true }))).map(({ name }) => name)
      assert.ok(
        names.some((name) => expected.test(name)),
        names.join(' / '),
      )
    })
  }
})

describe('security rules', () => {
  const notFound = () => new FogbowError('instance_not_found', 'there is no such network')

  function networks(defect: Defect) {
    return ({ storage }: PluginHost): PluginParts => {
      const ruleKey = (id: string) => `rule/${id}`
      const idOf = (orderId: string) => `network-${orderId}`
      const rulesOf = async (parentId: string) => {
        const all = (await storage.list('rule/')).map(({ value }) => value as Stored)
        return all.filter((rule) => rule.parentId === parentId || defect.listsAll)
      }
      return {
        network: {
          async requestInstance({ orderId }) {
            await storage.set(idOf(orderId), true)
            const rule = { ...anything, id: 'open', parentId: idOf(orderId) }
            if (defect.opensWorld) await storage.set(ruleKey(`open-${orderId}`), rule)
            return { instanceId: idOf(orderId) }
          },
          async getInstance({ instanceId = '' }) {
            if (!(await storage.get(instanceId))) throw notFound()
            return { state: 'READY', cloudState: 'up' }
          },
          deleteInstance: async ({ orderId }) => storage.delete(idOf(orderId)),
        },
        securityRule: {
          async requestSecurityRule(rule, { instanceId }) {
            if (!(await storage.get(instanceId)) && !defect.anyParent) throw notFound()
            const isWrong = rule.portFrom > rule.portTo || !rule.cidr.includes('/')
            if (isWrong && !defect.acceptsAnything)
              throw new FogbowError('invalid_parameter', 'that is no rule')
            const unique = defect.addsTwice ? crypto.randomUUID() : rule.cidr.replace('/', '_')
            const id = `${instanceId}-${unique}`
            const kept = defect.changesRule ? { ...rule, portTo: 65535 } : rule
            await storage.set(ruleKey(id), { ...kept, id, parentId: instanceId })
            return id
          },
          getSecurityRules: async ({ instanceId }) =>
            (await rulesOf(instanceId)).map(({ parentId: _, ...rule }) => rule),
          async deleteSecurityRule(id, { instanceId }) {
            const rule = (await storage.get(ruleKey(id))) as Stored | undefined
            if (!rule && defect.goneIsError) throw notFound()
            const isMine = rule?.parentId === instanceId || defect.deletesById
            if (isMine && !defect.deletesNothing) await storage.delete(ruleKey(id))
          },
        },
      }
    }
  }

  const anything = {
    protocol: 'ANY',
    etherType: 'IPv4',
    direction: 'IN',
    portFrom: 0,
    portTo: 65535,
    cidr: '0.0.0.0/0',
  } as const
  type Stored = typeof anything & { id: string; parentId: string }

  detects(
    {
      opensWorld: /nothing is open to the world/,
      listsAll: /where it was added and nowhere else/,
      anyParent: /rules of something unknown/,
      acceptsAnything: /contradicts itself/,
      addsTwice: /an equal rule is answered/,
      changesRule: /listed as it was asked for/,
      goneIsError: /removing it again succeeds/,
      deletesById: /cannot be removed through another/,
      deletesNothing: /a rule that was removed is gone/,
    },
    networks,
  )
})

describe('images', () => {
  const unknownSizes = { size: -1, minDisk: -1, minRam: -1 }
  const images = (defect: Defect) => (): PluginParts => ({
    image: {
      getAllImages: async () =>
        defect.listsTwice
          ? [
              { id: 'a', name: 'A' },
              { id: 'a', name: 'A' },
            ]
          : [{ id: 'a', name: 'A' }],
      async getImage(id) {
        if (id !== 'a' && !defect.inventsImages)
          throw new FogbowError('instance_not_found', `no image '${id}'`)
        return { ...unknownSizes, id, name: defect.otherNames ? 'B' : 'A' }
      },
    },
  })
  detects(
    {
      listsTwice: /lists each id once/,
      inventsImages: /getImage of something unknown/,
      otherNames: /getImage answers what getAllImages lists/,
    },
    images,
  )
})

describe('login and tokens', () => {
  const unauthenticated = (message = 'wrong') => new FogbowError('unauthenticated', message)
  const lifetimeMs = 3_600_000

  function identity(defect: Defect) {
    return ({ clock }: PluginHost): PluginParts => {
      const key = defect.newKeyAtRestart ? crypto.randomUUID() : 'key'
      const sign = (text: string) => {
        let sum = 7
        for (const char of text + key) sum = (Math.imul(sum, 31) + char.charCodeAt(0)) >>> 0
        return String(sum)
      }
      return {
        tokenGenerator: {
          async createTokenValue({ username = '', password = '' }) {
            if (username !== 'ana')
              throw unauthenticated(defect.tellsNames ? 'no such user' : 'wrong')
            const isRight = password === 'secret' || (defect.acceptsEmpty && password === '')
            if (!isRight) throw defect.loginIsInternal ? new Error('null') : unauthenticated()
            const claims = { id: 'ana', expiresAt: clock.now() + lifetimeMs }
            const payload = btoa(JSON.stringify(claims)).replaceAll('=', '')
            return `e30.${payload}.${sign(payload)}`
          },
        },
        federationIdentity: {
          async getFederationUserToken(tokenValue) {
            try {
              const { id, expiresAt } = JSON.parse(atob(tokenValue.split('.')[1] ?? ''))
              const isText = typeof id === 'string' && id.length > 0 && id.length < 256
              const isTime = Number.isSafeInteger(expiresAt) && expiresAt > 0
              if (!(isText && isTime) && !defect.trustsClaims) throw new Error('strange')
              const user = { id, identityProviderId: 'site', name: id, roles: [], attributes: {} }
              return { ...user, tokenValue, expiresAt }
            } catch (error) {
              throw defect.readsBadly ? error : unauthenticated()
            }
          },
        },
        authentication: {
          async isAuthentic(token) {
            const [header, payload = '', signature] = token.tokenValue.split('.')
            if (header !== 'e30' || (signature !== sign(payload) && !defect.unsigned)) return false
            const { id, expiresAt } = JSON.parse(atob(payload))
            const { identityProviderId, name, roles, attributes = {} } = token
            const rest = [identityProviderId, name, roles.length, Object.keys(attributes).length]
            const isSame =
              token.id === id &&
              token.expiresAt === expiresAt &&
              JSON.stringify(rest) === JSON.stringify(['site', id, 0, 0])
            return (isSame || defect.ignoresFields === true) && !isExpired(expiresAt)
          },
        },
      }
      function isExpired(expiresAt: number) {
        return expiresAt <= clock.now() && !defect.neverExpires
      }
    }
  }

  detects(
    {
      tellsNames: /nobody learns which part was wrong/,
      acceptsEmpty: /empty or a missing part/,
      loginIsInternal: /wrong credentials are refused with unauthenticated/,
      readsBadly: /what is no token is refused/,
      trustsClaims: /strange claims is read or refused/,
      unsigned: /whose text was changed/,
      ignoresFields: /whose fields differ/,
      neverExpires: /a token that has expired/,
      newKeyAtRestart: /authentic after a restart/,
    },
    identity,
    { credentials: { username: 'ana', password: 'secret' } },
  )
})

describe('authorization', () => {
  const authorization = (defect: Defect) => (): PluginParts => {
    let denies = false
    return {
      authorization: {
        async isAuthorized(user, { owner }) {
          if (denies) return false
          const isOwn = !owner || owner.id === user.id
          const isSameSite = !owner || owner.identityProviderId === user.identityProviderId
          return (
            (isOwn || defect.ignoresOwner === true) && (isSameSite || defect.ignoresSite === true)
          )
        },
        async setPolicy() {
          if (defect.halfDone) denies = true
          if (!defect.acceptsAnything) throw new FogbowError('configuration_error', 'no policy')
        },
      },
    }
  }
  const user = { id: 'ana', identityProviderId: 'site', name: 'Ana', roles: [] }
  const operation = { name: 'create', provider: 'site', requester: 'site' }
  detects(
    {
      ignoresOwner: /order of somebody else is denied/,
      ignoresSite: /order of somebody else is denied/,
      acceptsAnything: /setPolicy refuses what is no policy/,
      halfDone: /setPolicy refuses what is no policy, and changes nothing/,
    },
    authorization,
    { allowed: [{ user, operation, type: 'COMPUTE' }] },
  )
})

describe('mapper', () => {
  const mapper = (defect: Defect) => (): PluginParts => ({
    federationToLocalMapper: {
      async getToken({ id }) {
        if (id === 'ana' || defect.knowsEverybody) return { password: 'x' }
        throw new FogbowError('unauthorized', `'${id}' has no account`)
      },
    },
  })
  const person = (id: string) => ({ id, identityProviderId: 'site', name: id, roles: [] })
  detects({ knowsEverybody: /without an account is refused/ }, mapper, {
    user: person('ana'),
    stranger: person('bob'),
  })
})

describe('placement', () => {
  const placement = (defect: Defect) => (): PluginParts => ({
    placement: {
      async rankProviders({ request }, candidates) {
        if (defect.needsSomebody && candidates.length === 0) throw new Error('nobody')
        const loadOf = ({ quota }: (typeof candidates)[number]) =>
          (quota as NonNullable<typeof quota>).used.vCPU
        if (defect.needsQuota) candidates.map(loadOf)
        const names = candidates.map(({ provider }) => provider)
        if (defect.needsSize && (request.vCPU as number).toFixed() === '') return { ranked: [] }
        if (defect.inventsSites) names.push('site-x')
        const leftOut = candidates
          .filter(({ liveness }) => liveness === 'silent')
          .map(({ provider }) => ({ provider, reason: defect.isMute ? ' ' : 'it is silent' }))
        const isLeftOut = (name: string) => leftOut.some(({ provider }) => provider === name)
        const ranked = names.filter((name) => defect.contradicts || !isLeftOut(name))
        if (defect.backwards) ranked.reverse()
        return { ranked, leftOut }
      },
    },
  })
  const user = { id: 'ana', identityProviderId: 'site', roles: [] }
  const site = (provider: string) => ({ provider, local: false, liveness: 'alive' }) as const
  detects(
    {
      needsSomebody: /without candidates nobody is ranked/,
      needsQuota: /however little is known/,
      needsSize: /whatever is ordered/,
      inventsSites: /only candidates are ranked/,
      contradicts: /each once/,
      isMute: /only candidates are ranked or left out/,
      backwards: /what the samples rank/,
    },
    placement,
    {
      rankings: [
        {
          request: { kind: 'volume', request: { size: 1 }, user },
          candidates: [site('a'), site('b')],
          ranked: ['a', 'b'],
        },
      ],
    },
  )
})
