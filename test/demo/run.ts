import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { debianPackages } from '../debian-packages.ts'
import type { Client } from '../system/support/client.ts'
import { type DemoSite, startDemoSites } from './sites.ts'
import { now } from './tap.ts'
import { type Event, toWay, USER, type Way } from './way.ts'
import { wayPage } from './way-page.ts'
import { wayText } from './way-text.ts'

/**
 * Three sites on this machine, and the way of an order from one to another.
 * The page goes to the file named as argument, else into the folder for temporary files.
 */

const PAGE = process.argv[2] ?? join(tmpdir(), 'fogbow-demo.html')
const launcher = join(import.meta.dirname, '../../core/cli/bin.mjs')
const PATIENCE_MS = 60_000
const needed = ['prosody', 'lua-unbound', 'openssl', 'util-linux']

interface MemberReport {
  id: string
  dialect: string
  ping: { kind: string; latencyMs?: number }
}

const say = (sentence: string) => console.log(sentence)

async function main(): Promise<void> {
  const missing = debianPackages.filter(
    ({ name, provides }) => needed.includes(name) && !existsSync(provides),
  )
  if (missing.length > 0)
    throw new Error(`first: apt-get install ${missing.map(({ name }) => name).join(' ')}`)
  const demo = await startDemoSites((step) => say(`• ${step}`))
  stopOnSignal(demo.stop)
  try {
    await show(demo.sites)
  } finally {
    say('• everything is stopped again')
    await demo.stop()
  }
}

async function show(sites: readonly DemoSite[]): Promise<void> {
  const [home, , provider] = sites
  if (!home || !provider) throw new Error('a site is missing')
  const admin = await home.process.admin()
  const members = await untilAllAnswer(admin)
  say(`• fogbow federation doctor, at ${home.id}: ${await examine(home, admin)}`)
  // The first call of all opens the way between the servers; it would hide what the rest takes.
  const image = await firstImage(admin, provider.id)
  const way = await order(admin, home, provider, image)
  const total = way.steps.at(-1)?.at ?? 0
  const sentence = `A user of ${home.id} orders a compute at ${provider.id}, and has it ${total.toFixed(0)} ms later (the emulated cloud takes 40 ms of them).`
  const rows = members.map(({ id, dialect, ping }) => ({
    ...{ id, dialect },
    latency: `${ping.latencyMs?.toFixed(1)} ms`,
  }))
  say(`\n${sentence}\n\n${wayText(way)}\n`)
  const how =
    'Each site dials out to its own Prosody. Between the two servers there is TLS; every message is signed by the site that wrote it, so that the servers can read and not change it.'
  const facts = { title: 'The way of an order', sentences: [sentence, how], members: rows }
  writeFileSync(PAGE, wayPage(way, facts))
  say(`The same as a page: ${PAGE}`)
}

async function untilAllAnswer(admin: Client): Promise<MemberReport[]> {
  const giveUpAt = now() + PATIENCE_MS
  for (;;) {
    const { body } = await admin.get('/ras/admin/federation')
    const { members = [] } = body as { members?: MemberReport[] }
    if (members.length > 0 && members.every(({ ping }) => ping.kind === 'answered')) return members
    if (now() > giveUpAt) throw new Error(`members do not answer: ${JSON.stringify(body)}`)
    await pause(200)
  }
}

/** As its administrator does. @returns how many checks there were, of which none failed */
async function examine(
  { setUp, process: site }: DemoSite,
  { token = '' }: Client,
): Promise<string> {
  const files = ['--hosts', setUp.hostsFile, '--authority', setUp.authorityFile]
  // Not waited for in one go: meanwhile this process passes on what the sites say.
  const doctor = spawn(process.execPath, [launcher, 'federation', 'doctor', ...files], {
    cwd: setUp.folder,
    env: { ...process.env, FOGBOW_URL: site.url, FOGBOW_TOKEN: token },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [output, [status]] = await Promise.all([text(doctor.stdout), once(doctor, 'close')])
  if (status !== 0) throw new Error(`fogbow federation doctor found something:\n${output}`)
  return `${output.match(/^✓/gm)?.length} checks, all is well`
}

async function firstImage(user: Client, provider: string): Promise<string> {
  const { body } = await user.get(`/ras/images/${provider}/emulated`)
  const [image] = Array.isArray(body) ? body : Object.keys(body as object)
  return typeof image === 'string' ? image : String((image as { id: string }).id)
}

/** Orders, waits until the home site knows that it is done, looks at it, and gives it back. */
async function order(
  user: Client,
  home: DemoSite,
  provider: DemoSite,
  imageId: string,
): Promise<Way> {
  const events: Event[] = []
  const note = (from: string, to: string, label: string, at = now()) =>
    events.push({ at, from, to, label })
  const begunAt = now()
  note(USER, home.id, 'POST /ras/computes', begunAt)
  const wanted = { provider: provider.id, cloudName: 'emulated', imageId, name: 'demo' }
  const id = await user.create('/ras/computes', { ...wanted, vCPU: 1, ram: 512, disk: 1 })
  note(home.id, USER, '201, order accepted')
  await untilFulfilled(user, id)
  note(home.id, USER, 'order is ready')
  const askedAt = now()
  const { status } = await user.get(`/ras/computes/${id}`)
  note(USER, home.id, 'GET /ras/computes/…', askedAt)
  note(home.id, USER, `${status}, the compute`)
  const done = now()
  await user.delete(`/ras/computes/${id}`)
  const passed = [...home.tap.passed, ...provider.tap.passed].filter(({ at }) => at <= done)
  return toWay({ home: home.id, provider: provider.id, passed, events, begunAt })
}

async function untilFulfilled(user: Client, id: string): Promise<void> {
  const giveUpAt = now() + PATIENCE_MS
  for (;;) {
    const { body } = await user.get('/ras/computes/status')
    const mine = (body as { instanceId: string; state: string }[]).find(
      (each) => each.instanceId === id,
    )
    if (mine?.state === 'READY') return
    if (now() > giveUpAt || mine?.state === 'FAILED')
      throw new Error(`the order is ${JSON.stringify(mine)}`)
    await pause(2)
  }
}

function stopOnSignal(stop: () => Promise<void>): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void stop().finally(() => process.exit(130)))
}

try {
  await main()
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
