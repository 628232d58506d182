import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { reportFile } from '../../trust/conformance-report.ts'
import { createSigningKey } from '../../trust/signing-key.ts'
import { createKeyFile, readKeyFile } from '../key-file.ts'
import { packPlugin } from '../pack/pack-plugin.ts'
import { readReport, signReport, writeReport } from './report.ts'

const command = join(import.meta.dirname, '../fogbow-plugin.mjs')
const key = createSigningKey()
const now = Date.UTC(2030, 0, 1)
const DAY_MS = 86_400_000

const tested = {
  name: '@vendor/acme-cloud',
  version: '1.2.3',
  bundleHash: 'a'.repeat(64),
  results: [
    { place: 'sandbox', kind: 'image', name: 'it lists images', outcome: 'passed' },
    { place: 'sandbox', kind: 'quota', name: 'it counts', outcome: 'failed', reason: 'it forgot' },
  ],
} as const
const about = { ...tested, results: [...tested.results] }

let home: string
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'fogbow-report-'))
})
after(() => rm(home, { recursive: true }))

async function written(name: string, change = (text: string) => text): Promise<string> {
  const file = join(home, name)
  await writeReport(file, signReport(about, key, now))
  await writeFile(file, change(await readFile(file, 'utf8')))
  return file
}

test('a report says which bundle did what, and is believed with the key that signed it', async () => {
  const report = await readReport(await written('good.json'), [key], now + DAY_MS)
  assert.deepEqual(report.plugin, {
    name: '@vendor/acme-cloud',
    version: '1.2.3',
    bundleHash: 'a'.repeat(64),
  })
  assert.deepEqual(report.cases, about.results)
})

test('a report with another outcome, of another signer, or too old is not believed', async () => {
  const changed = await written('changed.json', (text) => text.replace('"failed"', '"passed"'))
  await assert.rejects(readReport(changed, [key], now), /changed\.json' is not believed: no key/)
  const good = await written('again.json')
  await assert.rejects(readReport(good, [createSigningKey()], now), /no key/)
  await assert.rejects(readReport(good, [key], now + 400 * DAY_MS), /it was good until/)
})

test('a file that is no report is named', async () => {
  const file = join(home, 'no.json')
  await writeFile(file, 'no')
  await assert.rejects(readReport(file, [key], now), /Report '.*no\.json': /)
  await assert.rejects(readReport(join(home, 'gone.json'), [key], now), /ENOENT/)
})

test('what was never bundled cannot be reported on', () => {
  const { bundleHash: _, ...rest } = about
  assert.throws(() => signReport(rest, key, now), /has no bundle, and a report is about one/)
})

function run(args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [command, ...args], { cwd: home }, (error, stdout, stderr) =>
      resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr }),
    )
  })
}

test('test --report and verify-report agree, on the bundle that pack makes', async () => {
  const folder = join(home, 'plugin')
  await mkdir(folder)
  const fogbow = { sdk: '^0.1.0', kinds: ['health'], entry: './index.js' }
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'healthy', version: '1.0.0', type: 'module', fogbow }),
  )
  await writeFile(
    join(folder, 'index.js'),
    'export default { create: () => ({ health: { check: async () => {} } }) }',
  )
  const signer = await createKeyFile(join(home, 'v.key'))
  const { bundleHash } = await packPlugin({ folder, key: signer, into: home })

  const made = await run(['test', folder, '--report', 'r.json', '--key', 'v.key'])
  assert.equal(made.exitCode, 0, made.stdout + made.stderr)
  const verify = ['verify-report', 'r.json', '--key', signer.text, '--bundle']
  const { exitCode, stdout } = await run([...verify, bundleHash])
  assert.equal(exitCode, 0)
  assert.match(
    stdout,
    new RegExp(`^healthy 1\\.0\\.0, bundle ${bundleHash}, SDK .* 7 passed, 0 fai`),
  )
  const other = await run([...verify, 'b'.repeat(64)])
  assert.equal(other.exitCode, 1)
  assert.match(other.stderr, /is about bundle/)
})

test('pack puts the report into the package, and refuses one that is about other code or names a failure', async () => {
  const folder = join(home, 'plugin')
  const args = ['--report', join('plugin', reportFile), '--key', 'v.key']
  assert.equal((await run(['test', 'plugin', ...args])).exitCode, 0)
  const signer = await readKeyFile(join(home, 'v.key'))
  const packed = await packPlugin({ folder, key: signer, into: home })
  assert.ok(packed.files.includes(reportFile), packed.files.join())

  const report = JSON.parse(await readFile(join(folder, reportFile), 'utf8'))
  report.signed.cases[0].outcome = 'failed'
  await writeFile(join(folder, reportFile), JSON.stringify(report))
  const pack = () => packPlugin({ folder, key: signer, into: home })
  await assert.rejects(pack, /conformance-report\.json: '.*' of .* failed; test it again/)
  await writeFile(join(folder, reportFile), '{}')
  await assert.rejects(pack, /it is no report/)
  assert.equal((await run(['test', 'plugin', ...args])).exitCode, 0)
  await appendFile(join(folder, 'index.js'), '\nglobalThis.later = 1\n')
  await assert.rejects(pack, /it is about bundle [0-9a-f]{64}, and not/)
})

test('a report without a key to sign it is refused before anything is run', async () => {
  const { exitCode, stderr, stdout } = await run(['test', 'plugin', '--report', 'x.json'])
  assert.equal(exitCode, 1)
  assert.match(stderr, /--report needs --key/)
  assert.equal(stdout, '')
})
