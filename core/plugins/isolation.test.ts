import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { chooseIsolation, type IsolationQuestion } from './isolation.ts'
import type { MachineIsolation } from './tiers.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fogbow-isolation-'))
  for (const path of ['official/cloud', 'official-not/cloud', 'elsewhere'])
    await mkdir(join(folder, path), { recursive: true })
  await symlink('official/cloud', join(folder, 'linked-in'))
  await symlink('../elsewhere', join(folder, 'official/linked-out'))
})
after(() => rm(folder, { recursive: true }))

const namespaces: MachineIsolation = { level: 'process+ns', missing: [] }
const plainProcesses: MachineIsolation = {
  level: 'process',
  missing: ['user namespaces are switched off', 'prlimit is not installed'],
}
const noProcesses: MachineIsolation = { level: 'worker', missing: ['this is no Linux'] }
const hash = 'a'.repeat(64)

interface Setting {
  source?: string
  sourceKind?: 'folder' | 'npm'
  isolation?: 'worker' | 'process' | 'process+ns'
  minimum?: 'worker' | 'process' | 'process+ns'
  reviewed?: Record<string, string>
  machine?: MachineIsolation
  moved?: boolean
}

let looks = 0
function choose(setting: Setting = {}) {
  looks = 0
  const question: IsolationQuestion = {
    name: 'one',
    installed: {
      name: '@fogbow/plugin-cloud',
      hash,
      source: join(folder, setting.source ?? 'elsewhere'),
      sourceKind: setting.sourceKind ?? 'folder',
    },
    config: setting.isolation ? { isolation: setting.isolation } : {},
    site: {
      minimumIsolation: setting.minimum ?? 'worker',
      isolation: { spares: 0, reviewed: setting.reviewed ?? {} },
    },
    officialFolder: join(folder, 'official'),
    async machine() {
      looks += 1
      return setting.machine ?? namespaces
    },
    move: setting.moved ? { reason: 'its thread did not end', at: 1 } : undefined,
  }
  return chooseIsolation(question)
}

test('a plugin that comes with the site gets a thread, and nobody looks at the machine for it', async () => {
  for (const source of ['official/cloud', 'linked-in']) {
    const { level, wanted, why } = await choose({ source })
    assert.deepEqual([level, wanted, why], ['worker', 'worker', 'it comes with the site'])
    assert.equal(looks, 0)
  }
})

test('a name, a folder with a similar name, a link to the outside and an npm package are not official', async () => {
  const strangers: Setting[] = [
    {},
    { source: 'official-not/cloud' },
    { source: 'official/linked-out' },
    { source: 'official/absent' },
    { source: 'official' },
    { source: 'official/cloud', sourceKind: 'npm' },
  ]
  for (const setting of strangers)
    assert.equal((await choose(setting)).level, 'process+ns', JSON.stringify(setting))
})

test('a stranger gets the strongest process of the machine, and what it lacks is told', async () => {
  const { level, wanted, missing, warning } = await choose({ machine: plainProcesses })
  assert.deepEqual([level, wanted, warning], ['process', 'process', undefined])
  assert.deepEqual(missing, plainProcesses.missing)
})

test('where there are no processes a stranger gets a thread, with a warning', async () => {
  const { level, wanted, warning } = await choose({ machine: noProcesses })
  assert.deepEqual([level, wanted], ['worker', 'process'])
  assert.match(warning ?? '', /runs in 'worker' and should run in 'process': this is no Linux/)
})

test('a reviewed bundle gets a thread until its bundle changes', async () => {
  const reviewed = { '@fogbow/plugin-cloud': hash }
  assert.equal((await choose({ reviewed })).level, 'worker')
  const changed = await choose({ reviewed: { '@fogbow/plugin-cloud': 'b'.repeat(64) } })
  assert.equal(changed.level, 'process+ns')
  assert.match(changed.why, /not the one that was reviewed; it is a{64} now/)
})

test('the configuration of a plugin goes before the usual choice, in both directions', async () => {
  assert.equal((await choose({ isolation: 'worker' })).level, 'worker')
  assert.equal(looks, 0)
  const official = await choose({ source: 'official/cloud', isolation: 'process' })
  assert.equal(official.level, 'process+ns')
  assert.match(official.why, /plugins\.one\.isolation/)
})

test('a minimum lifts what would have had less', async () => {
  const { level, wanted, why } = await choose({ source: 'official/cloud', minimum: 'process' })
  assert.deepEqual([level, wanted], ['process+ns', 'process'])
  assert.match(why, /minimumIsolation is 'process'/)
})

test('what the machine cannot give is refused with the key and everything that is missing', async () => {
  const refusals: [Setting, RegExp][] = [
    [
      { minimum: 'process+ns', machine: plainProcesses },
      /^minimumIsolation: plugin 'one' can only be isolated as 'process' here, not as 'process\+ns'; missing: user namespaces are switched off; prlimit is not installed$/,
    ],
    [
      { minimum: 'process', machine: noProcesses },
      /^minimumIsolation: .* as 'worker' here, not as 'process'; missing: this is no Linux$/,
    ],
    [
      { isolation: 'process+ns', machine: plainProcesses },
      /^plugins\.one\.isolation: plugin 'one' can only be isolated as 'process'/,
    ],
    [
      { source: 'official/cloud', isolation: 'worker', minimum: 'process' },
      /^plugins\.one\.isolation: 'worker' is weaker than minimumIsolation, which is 'process'$/,
    ],
  ]
  for (const [setting, message] of refusals)
    await assert.rejects(choose(setting), { code: 'configuration_error', message })
})

test('a plugin whose thread could not be stopped gets a process, and keeps what it was meant to have', async () => {
  const choice = await choose({ source: 'official/cloud', moved: true })
  assert.deepEqual([choice.level, choice.wanted], ['process+ns', 'worker'])
  assert.equal(choice.moved?.reason, 'its thread did not end')
})
