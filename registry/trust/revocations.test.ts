import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test'
import { temporaryFolder } from '../fixtures/packages.ts'
import { createFirstSeen } from './first-seen.ts'
import { createRevocations, type Revocations, revocationListType } from './revocations.ts'
import { signDocument } from './signed-document.ts'
import { createSignedSources } from './signed-source.ts'
import { createSigningKey } from './signing-key.ts'

const key = createSigningKey()
const day = 86_400_000
const start = Date.parse('2026-06-01T00:00:00Z')
const bad = {
  package: 'bad',
  versions: '<2',
  action: 'stop',
  reason: 'it mines coins',
  since: '2026-05-01T00:00:00Z',
}

describe('revocations', () => {
  let folder: string
  let now: number
  let believed: string[]
  let revocations: Revocations
  let place: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fogbow-revocations-'))
    now = start
    believed = []
    place = join(folder, 'published.json')
    const clock = { now: () => now }
    const list = { name: 'list', type: revocationListType, place, keys: [key] }
    revocations = createRevocations({
      folder: join(folder, 'revocations'),
      documents: createSignedSources({ folder: join(folder, 'documents'), clock }),
      lists: () => [list],
      believed: () => believed,
      clock,
    })
  })

  afterEach(() => rm(folder, { recursive: true }))

  async function publish(sequence: number, entries: unknown[], signer = key): Promise<void> {
    const document = {
      type: revocationListType,
      issuedAt: new Date(now).toISOString(),
      expiresAt: new Date(now + 7 * day).toISOString(),
      sequence,
      revocations: entries,
    }
    await writeFile(place, JSON.stringify(signDocument(document, [signer])))
  }

  const heeded = async () => (await revocations.heeded()).heeded
  const packages = async () => (await heeded()).map((one) => `${one.source}: ${one.package}`)

  test('a published list is heeded once it was read, and without reading it again', async () => {
    await publish(1, [bad])
    assert.deepEqual((await revocations.heeded()).stale, ['list'])
    assert.deepEqual(await revocations.refresh(), [])
    await writeFile(place, 'gone')
    assert.deepEqual(await revocations.heeded(), {
      heeded: [{ ...bad, source: 'list' }],
      stale: [],
    })
  })

  test('a list past its end is stale until there is a newer one', async () => {
    await publish(1, [bad])
    await revocations.refresh()
    now += 8 * day
    assert.deepEqual(await revocations.heeded(), { heeded: [], stale: ['list'] })
    await publish(2, [])
    await revocations.refresh()
    assert.deepEqual(await revocations.heeded(), { heeded: [], stale: [] })
  })

  test('an older list does not take a revocation back, nor does a forged one', async () => {
    await publish(2, [bad])
    await revocations.refresh()
    await publish(1, [])
    const [older] = await revocations.refresh()
    assert.match(String(older?.problem), /it is number 1, and 2 was seen before/)
    await publish(3, [], createSigningKey())
    const [forged] = await revocations.refresh()
    assert.match(String(forged?.problem), /no key that this site believes/)
    assert.deepEqual(await packages(), ['list: bad'])
  })

  test('a list of which one entry cannot be understood is as stale as none', async () => {
    await publish(1, [{ ...bad, versions: 'all of them' }, bad])
    await revocations.refresh()
    assert.deepEqual(await revocations.heeded(), { heeded: [], stale: ['list'] })
  })

  test('a list that is gone is named with its place, and the last one goes on being heeded', async () => {
    await publish(1, [bad])
    await revocations.refresh()
    await writeFile(place, '{')
    const [problem] = await revocations.refresh()
    assert.equal(problem?.source, 'list')
    assert.match(String(problem?.problem), /published\.json\) is no JSON/)
    assert.deepEqual(await packages(), ['list: bad'])
  })

  test('what this site revokes is heeded at once, until it is withdrawn', async () => {
    await revocations.revoke({ package: 'worse', versions: '*', action: 'warn', reason: 'slow' })
    await revocations.revoke({ package: 'worse', versions: '*', action: 'stop', reason: 'evil' })
    assert.deepEqual(
      (await heeded()).map(({ source, action, since }) => [source, action, since]),
      [['this site', 'stop', new Date(start).toISOString()]],
    )
    await revocations.withdraw('worse', '*')
    assert.deepEqual(await heeded(), [])
    await assert.rejects(revocations.withdraw('worse', '*'), /has not revoked worse@\*/)
  })

  test('a revocation with a mistake is refused with the field, and nothing is kept of it', async () => {
    const wrong = { ...bad, action: 'explode' }
    await assert.rejects(revocations.revoke(wrong), /action/)
    await assert.rejects(revocations.revoke({ ...bad, versions: '>>1' }), /versions/)
    assert.deepEqual(await revocations.own(), [])
  })

  test('members are heeded exactly while this site believes them', async () => {
    await revocations.receive('site-b.example', [bad])
    assert.deepEqual(await packages(), [])
    believed = ['site-b.example']
    assert.deepEqual(await packages(), ['member:site-b.example: bad'])
    await revocations.receive('site-b.example', [])
    assert.deepEqual(await packages(), [])
  })

  test('nonsense of a member changes nothing of what it said before', async () => {
    believed = ['site-b.example']
    await revocations.receive('site-b.example', [bad])
    await assert.rejects(revocations.receive('site-b.example', 'all'), /site-b\.example/)
    assert.deepEqual(await packages(), ['member:site-b.example: bad'])
  })

  test('a member’s name cannot lead out of the folder', async () => {
    await revocations.receive('../../escape', [bad])
    await assert.rejects(readFile(join(folder, '..', 'escape.json')), { code: 'ENOENT' })
    believed = ['../../escape']
    assert.deepEqual(await packages(), ['member:../../escape: bad'])
  })
})

describe('first seen', () => {
  test('a version is as old as its first sighting, also for a later process', async (context) => {
    const path = join(await temporaryFolder(context), 'seen', 'first-seen.json')
    let now = start
    const clock = { now: () => now }
    const first = await createFirstSeen(path, clock).note('a', '1.0.0', 'sha512-x')
    now += day
    const again = createFirstSeen(path, clock)
    assert.equal(await again.note('a', '1.0.0', 'sha512-x'), first)
    assert.notEqual(await again.note('a', '1.0.0', 'sha512-y'), first)
    assert.notEqual(await again.note('a', '1.0.1', 'sha512-x'), first)
  })

  test('two at the same time are both noted', async (context) => {
    const path = join(await temporaryFolder(context), 'first-seen.json')
    const seen = createFirstSeen(path, { now: () => start })
    await Promise.all(['a', 'b', 'c'].map((name) => seen.note(name, '1.0.0', 'sha512-x')))
    assert.equal(Object.keys(JSON.parse(await readFile(path, 'utf8'))).length, 3)
  })

  test('what two processes see at the same time is all noted', async (context) => {
    const path = join(await temporaryFolder(context), 'first-seen.json')
    const observers = ['site', 'shell'].map((name) => observer(context, path, name))
    await Promise.all(observers.map(({ stdout }) => once(stdout, 'data')))
    const ends = observers.map((child) => once(child, 'exit'))
    for (const { stdin } of observers) stdin.end('go')
    assert.deepEqual(await Promise.all(ends), [
      [0, null],
      [0, null],
    ])
    const noted = Object.keys(JSON.parse(await readFile(path, 'utf8')))
    assert.equal(noted.length, 2 * SIGHTINGS)
  })

  test('a damaged file makes everything young', async (context) => {
    const path = join(await temporaryFolder(context), 'first-seen.json')
    await writeFile(path, '{"a@1.0.0 sha512-x":{"at":"2020-01-01T0')
    const seen = createFirstSeen(path, { now: () => start })
    assert.equal(await seen.note('a', '1.0.0', 'sha512-x'), new Date(start).toISOString())
  })

  test('a sighting in the future is replaced by the present', async (context) => {
    const path = join(await temporaryFolder(context), 'first-seen.json')
    const ahead = createFirstSeen(path, { now: () => start + 365 * day })
    await ahead.note('a', '1.0.0', 'sha512-x')
    const right = createFirstSeen(path, { now: () => start })
    assert.equal(await right.note('a', '1.0.0', 'sha512-x'), new Date(start).toISOString())
  })
})

const SIGHTINGS = 40

/** A process that notes one version after another once it is told to. */
function observer(context: TestContext, path: string, name: string) {
  const script = `
    import { once } from 'node:events'
    import { createFirstSeen } from ${JSON.stringify(join(import.meta.dirname, 'first-seen.ts'))}
    const seen = createFirstSeen(${JSON.stringify(path)}, Date)
    console.log('ready')
    await once(process.stdin, 'data')
    for (let patch = 0; patch < ${SIGHTINGS}; patch++)
      await seen.note('${name}', '1.0.' + patch, 'sha512-x')`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script])
  context.after(() => child.kill('SIGKILL'))
  return child
}
