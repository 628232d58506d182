import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sdkVersion } from '@fogbow/plugin-sdk'
import { createHome, type Home, launcher } from './fixtures/run-cli.ts'

let home: Home
let folder: string
/** Makes the first Node, and only that, say that it is an old one. */
let oldNode: string[]

before(async () => {
  home = await createHome()
  folder = await mkdtemp(join(tmpdir(), 'fogbow-launcher-'))
  const disguise = join(folder, 'disguise.mjs')
  const versions = `{ value: { ...process.versions, node: '20.20.2' } }`
  await writeFile(
    disguise,
    `if (process.env.FOGBOW_RELAUNCHED === undefined || process.env.ALWAYS_OLD)
      Object.defineProperty(process, 'versions', ${versions})`,
  )
  oldNode = [process.execPath, '--import', disguise]
})
after(async () => {
  await home.remove()
  await rm(folder, { recursive: true })
})

test('on an old Node the command runs on the one that is pinned, arguments and streams unchanged', async () => {
  const { code, stdout } = await home.run(['--version'], { through: oldNode })
  assert.deepEqual([code, stdout], [0, `${sdkVersion}\n`])
  const data = join(folder, 'data')
  const args = ['user', 'add', 'ann', '--password-stdin', '--data-dir', data]
  const added = await home.run(args, { through: oldNode, input: 'correct horse' })
  assert.equal(added.code, 0, added.stderr)
})

test('the exit code of the pinned Node is that of the command', async () => {
  const { code, stderr } = await home.run(['compute', 'list'], { through: oldNode })
  assert.equal(code, 3)
  assert.match(stderr, /Not logged in/)
})

test('a pinned Node that is too old as well is named and not started over and over', async () => {
  const env = { ALWAYS_OLD: '1' }
  const { code, stderr } = await home.run(['--version'], { through: oldNode, env })
  assert.equal(code, 1)
  assert.equal(stderr, 'fogbow: the Node beside it is 20.20.2, not 26: run npm ci again\n')
})

test('the command is found through a symbolic link and from any folder', async () => {
  const link = join(folder, 'fogbow')
  await symlink(launcher, link)
  const child = spawn(process.execPath, [link, '--version'], { cwd: '/' })
  const [chunk] = await once(child.stdout.setEncoding('utf8'), 'data')
  assert.equal(chunk, `${sdkVersion}\n`)
})

test('a signal reaches the command, whose end is the end of the launcher', async () => {
  const [program = '', ...before] = oldNode
  const args = [...before, launcher, 'login', '--username', 'ann', '--password-stdin']
  const child = spawn(program, args, { env: { XDG_CONFIG_HOME: folder, FOGBOW_DEBUG: '1' } })
  child.stdin.write('half a pass')
  await waitForGrandchild(child.pid)
  child.kill('SIGTERM')
  const [code] = await once(child, 'close')
  assert.equal(code, 128 + 15)
})

/** The launcher's own child, as Linux lists it. */
async function waitForGrandchild(pid: number | undefined): Promise<void> {
  while ((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')) === '') await sleep(10)
}
