import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { installed, newMarketplace } from './fixtures/marketplace.ts'
import { packed, plugin, temporaryFolder } from './fixtures/packages.ts'
import { randomFrom } from './fixtures/random.ts'
import type { Marketplace } from './marketplace.ts'

const SEED = 20_261
const CHAINS = 3
const KILLS_PER_CHAIN = 35
/** More than a plan with its application takes, so that every step of both is met. */
const LONGEST_LIFE = 60

/** Six tarballs: three versions of each of two plugins. */
async function tarballs(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t)
  for (let number = 0; number < 6; number += 1) {
    const name = number % 2 ? 'a-plugin' : 'b-plugin'
    const files = plugin(`answer ${number}`, { name, version: `1.${number}.0` })
    await writeFile(join(folder, `${number}.tgz`), packed(files))
  }
  return folder
}

/** Lives until it has changed so much. @returns number of the last generation that it has seen committed */
async function live(folders: string[], life: number, seed: number, scratch: string) {
  const script = join(import.meta.dirname, 'fixtures/mortal.ts')
  const env = { ...process.env, TMPDIR: scratch, NODE_COMPILE_CACHE: join(scratch, 'code') }
  const args = [script, ...folders, String(life), String(seed)]
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let told = ''
  let complaint = ''
  child.stdout.on('data', (text) => (told += text))
  child.stderr.on('data', (text) => (complaint += text))
  const [, signal] = await once(child, 'close')
  assert.equal(signal, 'SIGKILL', `seed ${seed}, life ${life}: ${complaint}`)
  return Number(told.trim().split('\n').at(-1))
}

/** Everything that the folder speaks of is there, whole. */
async function assertConsistent(marketplace: Marketplace, message: string): Promise<number> {
  const present = await marketplace.current()
  const kept = await marketplace.generations()
  const plans = await marketplace.plans()
  const planned = plans.flatMap(({ changes }) => changes.flatMap(({ to }) => to ?? []))
  for (const locked of [...kept.flatMap(({ plugins }) => plugins), ...planned]) {
    await marketplace.bundleOf(locked)
  }
  const numbers = kept.map(({ number }) => number)
  const expected = numbers.map((_, index) => present.number - index)
  assert.deepEqual(numbers, expected, `${message}: generations`)
  return present.number
}

async function killAgainAndAgain(t: TestContext, chain: number): Promise<number> {
  const random = randomFrom(SEED + chain)
  const folders = [join(await temporaryFolder(t), 'plugins'), await tarballs(t)]
  const scratch = await temporaryFolder(t)
  await mkdir(folders[0] ?? '')
  const { marketplace, directory } = await newMarketplace(t, {
    directory: folders[0] ?? '',
    keepGenerations: 4,
  })
  let before = 0
  for (let kill = 0; kill < KILLS_PER_CHAIN; kill += 1) {
    const life = 1 + Math.floor(random() * LONGEST_LIFE)
    const seed = SEED + chain * 1000 + kill
    const seen = Math.max(before, await live(folders, life, seed, scratch))
    const number = await assertConsistent(marketplace, `seed ${seed}, life ${life}`)
    // What was told to be done stays done, and of what was under way it is all or nothing.
    assert.ok(number === seen || number === seen + 1, `seed ${seed}: ${seen}, then ${number}`)
    before = number
  }
  await installed(marketplace, join(folders[1] ?? '', '0.tgz'))
  await assertTidy(marketplace, directory)
  return before
}

/** After one change that nobody interrupted, nothing is left of those that were. */
async function assertTidy(marketplace: Marketplace, directory: string): Promise<void> {
  const kept = await marketplace.generations()
  const planned = (await marketplace.plans()).flatMap(({ changes }) => changes)
  const hashes = [
    ...kept.flatMap(({ plugins }) => plugins.map(({ hash }) => hash)),
    ...planned.flatMap(({ to }) => to?.hash ?? []),
  ]
  assert.deepEqual((await readdir(join(directory, 'store'))).sort(), [...new Set(hashes)].sort())
  const numbers = kept.map(({ number }) => `${number}.json`)
  assert.deepEqual((await readdir(join(directory, 'generations'))).sort(), numbers.sort())
  assert.equal((await readdir(directory)).includes('staging'), false)
}

test(`killed at ${CHAINS * KILLS_PER_CHAIN} random points, what is installed is whole and the next change succeeds`, async (t) => {
  const chains = Array.from({ length: CHAINS }, (_, chain) => killAgainAndAgain(t, chain))
  const committed = await Promise.all(chains)
  assert.ok(Math.min(...committed) > 5, `too few changes were ever finished: ${committed}`)
})
