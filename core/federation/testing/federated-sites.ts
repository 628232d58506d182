import {
  asFogbowError,
  type ErrorCode,
  FogbowError,
  type FogbowError as Thrown,
} from '@fogbow/plugin-sdk'
import { openSqliteStore, type Store } from '../../store/index.ts'
import type { RemoteCall, RemoteMethod } from '../contract.ts'
import { createFederation, type FederationHost } from '../federation.ts'
import { defaultFederationSettings, type FederationSettings } from '../settings.ts'
import { jidOf } from '../site-jid.ts'
import { type SiteKeys, writePublicKey } from '../trust/index.ts'
import {
  createFakeNetwork,
  type FakeComponent,
  type FakeNetwork,
  type Life,
} from './fake-network.ts'
import { makeSiteKeys } from './keys.ts'
import { createVirtualTime, type VirtualTime } from './virtual-time.ts'

const text = { type: 'string', maxLength: 5_000_000 } as const
const object = (properties: Record<string, object>, required: string[]) =>
  ({ type: 'object', properties, required, additionalProperties: false }) as const

const own = { direction: 'to provider', onBehalf: false, timeoutMs: 10_000 } as const
/** What the sites of these tests ask each other. */
export const testMethods: readonly RemoteMethod[] = [
  { ...own, name: 'echo', effect: 'read', params: object({ text }, ['text']), result: text },
  {
    ...own,
    name: 'names',
    effect: 'read',
    params: object({}, []),
    result: { type: 'array', items: text },
  },
  { ...own, name: 'whoAmI', effect: 'read', onBehalf: true, params: object({}, []) },
  { ...own, name: 'fail', effect: 'read', params: object({ code: text }, ['code']) },
  {
    ...own,
    name: 'make',
    effect: 'command',
    params: object({ name: text, size: { type: 'integer' }, code: text }, ['name']),
    result: { type: 'object' },
  },
  {
    ...own,
    name: 'unmake',
    effect: 'command',
    params: object({ name: text }, ['name']),
    aboutExisting: true,
  },
  {
    ...own,
    name: 'changed',
    effect: 'command',
    direction: 'to requester',
    params: object({ orderId: text, generation: { type: 'integer' } }, ['orderId', 'generation']),
    newest: { of: 'orderId', by: 'generation' },
  },
]

/** A site of which every part is real but time, the network and what it does for its members. */
export interface FederatedSite {
  readonly id: string
  readonly keys: SiteKeys
  readonly store: Store
  /** Anew after each restart. */
  readonly federation: FederationHost
  readonly component: FakeComponent
  settings: FederationSettings
  /** What it did for its members, each time that it did it. Outlives the process, as a cloud does. */
  readonly effects: Effect[]
  answer: (call: RemoteCall) => Promise<unknown>
  readonly logged: string[]
  /** The process ends, now or after so many steps; it is started again by hand. */
  crash(afterSteps?: number): void
  restart(): Promise<void>
  /** As `restart`, with the store opened again. */
  reopen(store: Store): Promise<void>
  readonly isDown: boolean
  /** Processes so far. */
  readonly lives: number
}

export interface Effect {
  readonly id: string
  readonly member: string
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

export interface FederatedSites {
  readonly time: VirtualTime
  readonly network: FakeNetwork
  readonly sites: readonly FederatedSite[]
  pass(ms: number): Promise<void>
  close(): Promise<void>
}

export async function startFederatedSites(
  ids: readonly string[],
  methods: readonly RemoteMethod[] = testMethods,
  settings: Partial<FederationSettings> = {},
  stores: Readonly<Record<string, Store>> = {},
): Promise<FederatedSites> {
  const time = createVirtualTime()
  const network = createFakeNetwork(time)
  let writing = 0
  const busy = () => writing > 0
  const keys = new Map(ids.map((id) => [id, makeSiteKeys()]))
  const peers = Object.fromEntries(
    [...keys].map(([id, { signing }]) => [id, { keys: [writePublicKey(signing)] }]),
  )
  const everybody = { ...defaultFederationSettings, members: ids, peers, ...settings }
  const sites = await Promise.all(
    ids.map((id) =>
      startSite(id, keys.get(id) as SiteKeys, everybody, methods, {
        time,
        network,
        counted,
        store: stores[id],
      }),
    ),
  )

  async function counted<Result>(work: Promise<Result>): Promise<Result> {
    writing += 1
    try {
      return await work
    } finally {
      writing -= 1
    }
  }

  return {
    time,
    network,
    sites,
    pass: (ms) => time.pass(ms, busy),
    async close() {
      await Promise.all(sites.map(({ federation }) => federation.stop()))
      await time.pass(0, busy)
      await Promise.all(sites.map(({ store }) => store.close()))
    },
  }
}

interface Surroundings {
  readonly time: VirtualTime
  readonly network: FakeNetwork
  readonly counted: <Result>(work: Promise<Result>) => Promise<Result>
  /** A new one in memory when undefined. */
  readonly store: Store | undefined
}

async function startSite(
  id: string,
  keys: SiteKeys,
  settings: FederationSettings,
  methods: readonly RemoteMethod[],
  { time, network, counted, store: given }: Surroundings,
): Promise<FederatedSite> {
  let store = given ?? (await openSqliteStore(':memory:'))
  const effects: Effect[] = []
  const logged: string[] = []
  const note = (fields: object, message: string) =>
    void logged.push(`${message} ${JSON.stringify(fields)}`)
  const log = { info: note, warn: note, error: note }
  let life = createLife()
  let federation: FederationHost
  let component: FakeComponent
  let ids = 0
  let lives = 0

  async function boot(): Promise<void> {
    life = createLife()
    lives += 1
    const own = life
    component = network.attach(jidOf(id), life)
    federation = createFederation({
      component,
      store: mortal(store, life, counted),
      siteId: id,
      methods,
      config: () => site.settings,
      keys,
      clock: mortalClock(time, life),
      log,
      newId: () => `${id}-${String(++ids).padStart(20, '0')}`,
    })
    federation.serve(async (call) => {
      own.step()
      if (own.isOver) return never()
      const answer = await site.answer(call)
      own.step()
      return own.isOver ? never() : answer
    })
    await federation.start()
  }

  const site: FederatedSite = {
    id,
    keys,
    get store() {
      return store
    },
    settings,
    effects,
    logged,
    get federation() {
      return federation
    },
    get component() {
      return component
    },
    get isDown() {
      return life.isOver
    },
    get lives() {
      return lives
    },
    async answer(call) {
      const { params, method, member } = call
      if (method.name === 'echo') return params.text
      if (method.name === 'whoAmI') return call.user
      if (method.name === 'fail')
        throw new FogbowError(params.code as ErrorCode, 'as it was asked for')
      effects.push({ id: call.id, member, method: method.name, params })
      await new Promise<void>((resolve) => time.after(5, resolve))
      if (params.code) throw new FogbowError(params.code as ErrorCode, 'as it was asked for')
      return method.name === 'make' ? { made: params.name } : undefined
    },
    crash(afterSteps = 0) {
      if (afterSteps === 0) life.end()
      else life.endAt = life.count + afterSteps
    },
    restart: boot,
    async reopen(next) {
      store = next
      await boot()
    },
  }
  await boot()
  return site
}

interface MortalLife extends Life {
  count: number
  endAt: number
  end(): void
}

function createLife(): MortalLife {
  let isOver = false
  return {
    count: 0,
    endAt: Number.POSITIVE_INFINITY,
    get isOver() {
      return isOver
    },
    step() {
      this.count += 1
      if (this.count >= this.endAt) isOver = true
    },
    end() {
      isOver = true
    },
  }
}

/** What a dead process began to write may have been written; it never learns. */
function mortal(store: Store, life: Life, counted: Surroundings['counted']): Store {
  return {
    ...store,
    async write(unit) {
      life.step()
      if (life.isOver) return never()
      const result = await counted(store.write(unit))
      life.step()
      return life.isOver ? never() : result
    },
  }
}

function mortalClock(time: VirtualTime, life: Life) {
  return {
    now: time.now,
    random: () => time.random(),
    after: (ms: number, run: () => void) => time.after(ms, () => life.isOver || run()),
  }
}

function never<Result>(): Promise<Result> {
  return new Promise(() => {})
}

/** How a call ended: its result, or the error. */
export function ended(call: Promise<unknown>): {
  outcome: { result: unknown } | { error: Thrown } | undefined
} {
  const watched: { outcome: { result: unknown } | { error: Thrown } | undefined } = {
    outcome: undefined,
  }
  call.then(
    (result) => {
      watched.outcome = { result }
    },
    (error) => {
      watched.outcome = { error: asFogbowError(error) }
    },
  )
  return watched
}
