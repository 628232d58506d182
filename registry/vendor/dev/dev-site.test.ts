import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PluginManifest } from '@fogbow/plugin-sdk'
import { companions, devConfig } from './dev-config.ts'

const command = join(import.meta.dirname, '../fogbow-plugin.mjs')
const PATIENCE_MS = 120_000

let home: string
let folder: string
let temporary: string

before(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'fogbow-dev-test-')))
  folder = join(home, 'plugin')
  temporary = join(home, 'tmp')
  await mkdir(folder)
  await mkdir(temporary)
  const fogbow = { sdk: '^0.1.0', kinds: ['image'], entry: './index.js' }
  const fields = { name: 'dev-images', version: '1.0.0', type: 'module', fogbow }
  await writeFile(join(folder, 'package.json'), JSON.stringify(fields))
  await writeCode('before')
})
after(() => rm(home, { recursive: true }))

function writeCode(name: string): Promise<void> {
  const list = `[{ id: 'a', name: '${name}' }]`
  return writeFile(
    join(folder, 'index.js'),
    `export default { create: () => ({ image: {
      getAllImages: async () => ${list}, getImage: async () => ${list}[0],
    } }) }`,
  )
}

interface Dev {
  child: ChildProcess
  printed(): string
  /** The first thing of what was printed that suits. */
  until(pattern: RegExp): Promise<string>
}

function startDev(): Dev {
  const env = { ...process.env, TMPDIR: temporary }
  const child = spawn(process.execPath, [command, 'dev', folder], { env })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
  const printed = () => text
  return {
    child,
    printed,
    until: (pattern) =>
      eventually(
        async () => pattern.exec(text)?.[1],
        () => `${pattern} in what was printed:\n${text}`,
      ),
  }
}

async function eventually<Answer>(
  ask: () => Promise<Answer | undefined>,
  what: () => string,
): Promise<Answer> {
  for (const giveUpAt = Date.now() + PATIENCE_MS; Date.now() < giveUpAt; await sleep(100)) {
    const answer = await ask()
    if (answer !== undefined) return answer
  }
  return assert.fail(`there was no ${what()}`)
}

async function imagesAt(url: string, token: string): Promise<string> {
  const path = '/ras/images/dev.local/dev'
  const response = await fetch(url + path, { headers: { 'fogbow-user-token': token } })
  return response.text()
}

test('a site runs the plugin, takes over what is written, stays with what works, and leaves nothing', async (t) => {
  const dev = startDev()
  t.after(() => dev.child.kill('SIGKILL'))
  const url = await dev.until(/ready at (http\S+)/)
  const password = await dev.until(/password +(\S+)/)
  const login = { credentials: { username: 'admin', password } }
  const answer = await fetch(`${url}/as/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(login),
  })
  const { token } = (await answer.json()) as { token: string }
  const shows = (name: string) =>
    eventually(
      async () => (await imagesAt(url, token)).includes(name) || undefined,
      () => `image '${name}'; ${dev.printed()}`,
    )
  await shows('before')

  await writeCode('afterwards')
  await dev.until(/(reloaded in \d+ ms)/)
  await shows('afterwards')

  await writeFile(join(folder, 'index.js'), 'export default { create: ')
  assert.match(await dev.until(/(not reloaded: .*)/), /index\.js:1/)
  await shows('afterwards')

  const kinds = { sdk: '^0.1.0', kinds: ['image', 'health'], entry: './index.js' }
  const fields = { name: 'dev-images', version: '1.0.0', type: 'module', fogbow: kinds }
  await writeFile(
    join(folder, 'index.js'),
    `const list = [{ id: 'a', name: 'with another kind' }]
    export default { create: () => ({ health: { check: async () => {} }, image: {
      getAllImages: async () => list, getImage: async () => list[0],
    } }) }`,
  )
  await writeFile(join(folder, 'package.json'), JSON.stringify(fields))
  await shows('with another kind')

  const kept = await readdir(temporary)
  assert.ok(kept.some((name) => name.startsWith('fogbow-dev-')))
  dev.child.kill('SIGTERM')
  const [code] = await once(dev.child, 'exit')
  assert.equal(code, 0)
  assert.deepEqual(
    (await readdir(temporary)).filter((name) => name.startsWith('fogbow-dev-')),
    [],
  )
  await assert.rejects(imagesAt(url, token))
})

test('a plugin serves the kinds that it offers, and official ones all the others', () => {
  const installed = Object.fromEntries(companions.map((name) => [name, `/modules/${name}`]))
  const config = (manifest: Partial<PluginManifest>) =>
    devConfig({
      folder: '/plugin',
      manifest: { sdk: '^0.1.0', entry: './index.ts', kinds: [], ...manifest },
      conformance: {},
      installed: installed as Record<(typeof companions)[number], string>,
      secretFiles: {},
    }) as {
      aaa: Record<string, string>
      clouds: { dev: { plugin: string; mapper: string; kinds?: Record<string, string> } }
      plugins: { plugin: { grants?: { network: string[] } } }
      placement?: { plugin: string }
    }

  const login = config({ kinds: ['authentication', 'federationToLocalMapper'] })
  assert.deepEqual(login.aaa, {
    tokenGenerator: 'identity',
    federationIdentity: 'identity',
    authentication: 'plugin',
    authorization: 'roles',
  })
  assert.deepEqual(login.clouds.dev, { plugin: 'emulated', mapper: 'plugin' })

  const volumes = config({ kinds: ['volume'], capabilities: { network: ['acme.example'] } })
  assert.equal(volumes.clouds.dev.plugin, 'plugin')
  assert.equal(volumes.clouds.dev.kinds?.compute, 'emulated')
  assert.equal(volumes.clouds.dev.kinds?.volume, undefined)
  assert.deepEqual(volumes.plugins.plugin.grants?.network, ['*'])

  assert.deepEqual(config({ kinds: ['placement'] }).placement, { plugin: 'plugin' })
})
