import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = join(import.meta.dirname, '../..')
const sdkFolder = join(root, 'plugin-sdk')
const vendorCommand = join(import.meta.dirname, 'fogbow-plugin.mjs')

interface Run {
  exitCode: number
  stdout: string
  stderr: string
}

let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fogbow-plugin-'))
})
after(() => rm(folder, { recursive: true }))

function run(args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [vendorCommand, ...args],
      { cwd: folder },
      (error, stdout, stderr) => {
        resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr })
      },
    )
  })
}

async function writePlugin(name: string, files: Record<string, string>): Promise<string> {
  const plugin = join(folder, name)
  await mkdir(plugin)
  for (const [file, text] of Object.entries(files)) await writeFile(join(plugin, file), text)
  return plugin
}

const manifest = (fogbow: object) =>
  JSON.stringify({ name: 'x', version: '1.0.0', type: 'module', fogbow })
const imagesManifest = manifest({ sdk: '^0.1.0', kinds: ['image'], entry: './index.js' })

const images = `
export default { create: () => ({ image: {
  getAllImages: async () => [{ id: 'a', name: 'A' }],
  getImage: async (id) => {
    if (id === 'a') return { id, name: 'A' }
    throw Object.assign(new Error('no such image'), { code: CODE })
  },
} }) }`

describe('fogbow-plugin test', () => {
  test('a plugin that holds its contract ends with 0 and a line per case', async () => {
    const plugin = await writePlugin('good', {
      'package.json': imagesManifest,
      'index.js': images.replace('CODE', "'instance_not_found'"),
    })
    const { exitCode, stdout } = await run(['test', plugin])
    assert.equal(exitCode, 0, stdout)
    assert.match(stdout, /✔ getImage answers what getAllImages lists/)
    assert.match(stdout, /the bundle passes the gate and starts in a sandbox/)
    assert.match(stdout, /9 passed, 0 failed/)
    assert.ok(!stdout.includes('\x1b'), 'colours, although it is no terminal')
  })

  test('a plugin that breaks its contract ends with 1 and the reason', async () => {
    const plugin = await writePlugin('bad', {
      'package.json': imagesManifest,
      'index.js': images.replace('CODE', "'quota_exceeded'"),
    })
    const { exitCode, stdout } = await run(['test', plugin])
    assert.equal(exitCode, 1)
    assert.match(stdout, /✖ getImage of something unknown[^✔✖]*not quota_exceeded: no such image/)
  })

  test('--json prints the results as data', async () => {
    const plugin = await writePlugin('data', {
      'package.json': imagesManifest,
      'index.js': images.replace('CODE', "'instance_not_found'"),
    })
    const { stdout } = await run(['test', plugin, '--json', '--no-sandbox'])
    const { passed, failed, results } = JSON.parse(stdout)
    assert.deepEqual({ passed, failed }, { passed: 4, failed: 0 })
    assert.deepEqual(results[0], {
      place: 'process',
      kind: 'image',
      name: 'every required method is offered',
      outcome: 'passed',
    })
  })

  test('a plugin that only works outside of a sandbox fails in it, and passes in this process', async () => {
    const plugin = await writePlugin('outside', {
      'package.json': imagesManifest,
      'index.js': `import { readFileSync } from 'node:fs'
readFileSync(new URL(import.meta.url))
${images.replace('CODE', "'instance_not_found'")}`,
    })
    assert.equal((await run(['test', plugin, '--no-sandbox'])).exitCode, 0)
    const { exitCode, stdout } = await run(['test', plugin])
    assert.equal(exitCode, 1)
    assert.match(stdout, /✖ the bundle passes the gate and starts in a sandbox/)
  })

  const refusals: [why: string, files: Record<string, string>, message: RegExp][] = [
    ['a folder without package.json', {}, /package\.json: ENOENT/],
    [
      'a package without fogbow block',
      { 'package.json': '{"name": "x", "version": "1"}' },
      /package\.json\.fogbow: is required/,
    ],
    [
      'an unknown kind',
      { 'package.json': manifest({ sdk: '^0.1.0', kinds: ['cloud'], entry: './index.js' }) },
      /kinds\[0\]: must be one of tokenGenerator/,
    ],
    [
      'a host that is no network pattern',
      {
        'package.json': manifest({
          sdk: '^0.1.0',
          kinds: ['image'],
          entry: './index.js',
          capabilities: { network: ['tls://a.example'] },
        }),
      },
      /capabilities\.network\[0\]: 'tls:\/\/a\.example': tls needs a port/,
    ],
    [
      'an entry without a plugin',
      { 'package.json': imagesManifest, 'index.js': 'export const a = 1' },
      /index\.js has no plugin as its default export/,
    ],
    [
      'a typing error in the samples',
      { 'package.json': imagesManifest, 'fogbow.conformance.json': '{"samples": {"image": 1}}' },
      /fogbow\.conformance\.json\.samples\.image: is not a known key/,
    ],
    [
      'a plugin that cannot start',
      {
        'package.json': imagesManifest,
        'index.js': 'export default { create() { throw new Error("config.url is no URL") } }',
      },
      /config\.url is no URL/,
    ],
  ]
  for (const [index, [why, files, message]] of refusals.entries()) {
    test(`${why} ends with 1 and one line that says so`, async () => {
      const plugin = await writePlugin(`refused-${index}`, files)
      const { exitCode, stderr } = await run(['test', plugin])
      assert.equal(exitCode, 1)
      assert.match(stderr, message)
      assert.equal(stderr.trim().split('\n').length, 1, stderr)
    })
  }

  test('an unknown command shows the usage and ends with 1', async () => {
    const { exitCode, stderr } = await run(['publish'])
    assert.equal(exitCode, 1)
    assert.match(stderr, /Usage: fogbow-plugin test/)
    assert.match(stderr, /Usage: fogbow-plugin pack/)
  })
})

describe('the plugin of the README', () => {
  let acme: Server
  before(async () => {
    acme = await startAcme()
  })
  after(() => acme.close())

  test('passes the conformance cases, installed as a vendor has it', async () => {
    const { port } = acme.address() as AddressInfo
    const readme = await readFile(join(sdkFolder, 'README.md'), 'utf8')
    const blocks = [...readme.matchAll(/^```\w+ file=(\S+)\n([\s\S]+?)^```/gm)]
    const files = blocks.map(([, file = '', text = '']) => [file, text.replace('8080', `${port}`)])
    assert.equal(files.length, 3)
    const plugin = await writePlugin('acme', Object.fromEntries(files))
    await installSdk(plugin)

    const { exitCode, stdout, stderr } = await run(['test', plugin])
    assert.equal(exitCode, 0, stdout + stderr)
    assert.match(stdout, /✔ requestInstance again after a restart gives the same instance/)
  })
})

/** As npm does it: the files of the package, and beside it what it depends on. */
async function installSdk(plugin: string): Promise<void> {
  const modules = join(plugin, 'node_modules')
  const sdk = join(modules, '@fogbow/plugin-sdk')
  await cp(sdkFolder, sdk, { recursive: true, filter: (path) => !path.endsWith('.test.ts') })
  const ajv = dirname(fileURLToPath(import.meta.resolve('ajv/package.json')))
  await symlink(ajv, join(modules, 'ajv'))
}

interface AcmeVolume {
  id: string
  tag: string
  gigabytes: number
  status: string
}

/** The imaginary HTTP service. */
async function startAcme(): Promise<Server> {
  const volumes = new Map<string, AcmeVolume>()
  const server = createServer((request, response) => void answer(volumes, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

async function answer(
  volumes: Map<string, AcmeVolume>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://acme')
  const last = decodeURIComponent(pathname.split('/').at(-1) ?? '')
  const all = [...volumes.values()]
  const send = (status: number, body: unknown) =>
    response.writeHead(status).end(JSON.stringify(body))

  if (request.headers['x-api-key'] !== 'for tests only') return void send(401, 'who are you?')
  if (searchParams.has('tag'))
    return void send(
      200,
      all.filter(({ tag }) => tag === searchParams.get('tag')),
    )
  if (request.method === 'PUT') {
    const known = all.find(({ tag }) => tag === last)
    const { gigabytes, tag } = JSON.parse(await textOf(request))
    const volume = known ?? { id: `v-${volumes.size}-${tag}`, tag, gigabytes, status: 'ready' }
    volumes.set(volume.id, volume)
    return void send(200, volume)
  }
  const volume = volumes.get(last)
  if (!volume) return void send(404, `there is no volume ${last}`)
  if (request.method === 'DELETE') volumes.delete(last)
  send(200, volume)
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
