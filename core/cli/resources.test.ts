import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { nestedKinds, orderedKinds, queriedKinds } from '@fogbow/plugin-sdk'
import { createHome, type Home } from './fixtures/run-cli.ts'
import { type StubAnswers, type StubSite, startStubSite } from './fixtures/stub-site.ts'

let home: Home
let site: StubSite | undefined

before(async () => {
  home = await createHome({ FOGBOW_TOKEN: 'token' })
})
after(async () => {
  await site?.close()
  await home.remove()
})

/** Runs one command against a site with these answers. */
async function run(answers: StubAnswers, args: string[], cwd?: string) {
  await site?.close()
  site = await startStubSite(answers)
  const env = { FOGBOW_URL: site.url }
  const result = await home.run(args, cwd === undefined ? { env } : { env, cwd })
  return { ...result, requests: site.requests }
}

const entry = { instanceId: 'o-1', instanceName: 'web', provider: 'site.a', cloudName: 'lab' }

test('every kind of resource has its command, found by no other list than the SDK', async () => {
  const { stdout } = await home.run(['--help'])
  const kinds = [...orderedKinds, ...nestedKinds, ...queriedKinds]
  const names = kinds.map(({ name }) => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`))
  for (const name of names) assert.match(stdout, new RegExp(`^  ${name} `, 'm'))
})

test('what was typed becomes the request, named and typed as the API has it', async () => {
  await writeFile(join(home.folder, 'id.pub'), 'ssh-ed25519 AAAA me\n')
  await writeFile(join(home.folder, 'setup.sh'), '#!/bin/sh\necho hello\n')
  const { code, stdout, requests } = await run(
    { 'POST /ras/computes': { status: 201, body: { id: 'o-1' } } },
    [
      ...[
        'compute',
        'create',
        '--image',
        'debian',
        '--vcpu',
        '2',
        '--ram',
        '2048',
        '--name',
        'web',
      ],
      ...['--network', 'n-1', '--network', 'n-2', '--public-key-file', 'id.pub'],
      ...['--user-data', 'setup.sh', '--user-data', 'setup.sh:cloud-boothook'],
      ...['--requirement', 'gpu=yes', '--requirement', 'zone=a=b', '--cloud', 'lab'],
    ],
    home.folder,
  )
  assert.equal(code, 0)
  assert.equal(stdout, 'o-1\n')
  const part = {
    extraUserDataFileContent: Buffer.from('#!/bin/sh\necho hello\n').toString('base64'),
    tag: 'setup.sh',
  }
  assert.deepEqual(requests[0]?.body, {
    cloudName: 'lab',
    name: 'web',
    vCPU: 2,
    ram: 2048,
    imageId: 'debian',
    publicKey: 'ssh-ed25519 AAAA me',
    userData: [
      { ...part, extraUserDataFileType: 'SHELL_SCRIPT' },
      { ...part, extraUserDataFileType: 'CLOUD_BOOTHOOK' },
    ],
    networkIds: ['n-1', 'n-2'],
    requirements: { gpu: 'yes', zone: 'a=b' },
  })
})

test('names that older clients use are understood', async () => {
  const { requests } = await run({ 'POST /ras/volumes': { status: 201, body: { id: 'v' } } }, [
    ...['volume', 'create', '--volume-size', '3', '--cloud-name', 'lab'],
  ])
  assert.deepEqual(requests[0]?.body, { cloudName: 'lab', size: 3 })
})

const wrongUsages: [args: string, message: RegExp][] = [
  ['compute create', /--image is required/],
  ['compute create --image i --vcpu two', /--vcpu: 'two' is not a whole number from 0 to 4096/],
  ['compute create --image i --vcpu 1.5', /--vcpu: '1\.5' is not a whole number/],
  ['compute create --image i --vcpu 4097', /--vcpu: '4097' is not a whole number from 0 to 4096/],
  ['volume create --size 0', /--size: '0' is not a whole number from 1 to/],
  ['volume create --size=-3', /--size: '-3' is not a whole number from 1 to/],
  ['network create --cidr 10.0.0.0', /--cidr: '10\.0\.0\.0' is not allowed\n.*10\.0\.0\.0\/24/],
  ['network create --allocation-mode none', /--allocation-mode must be one of dynamic, static/],
  [
    'compute create --image i --requirement gpu',
    /--requirement: 'gpu' is not of the form key=value/,
  ],
  ['compute create --image i --user-data /no/such', /--user-data: \/no\/such cannot be read/],
  ['compute create --image i --public-key-file /no/such', /--public-key-file: such cannot be read/],
  ['compute create --image i --vcpus 2', /unknown option '--vcpus'\n\(Did you mean --vcpu\?\)/],
  ['compute crate', /unknown command 'crate'\n\(Did you mean create\?\)/],
  ['compute list --limit none', /--limit.*whole number from 1/],
  ['compute show', /missing required argument 'id'/],
  ['security-rule list', /Exactly one of --network and --public-ip must be given/],
  ['security-rule list --network a --public-ip b', /Exactly one of --network and --public-ip/],
  ['compute', /Usage: fogbow compute/],
  ['compute list --url ftp://site', /'ftp:\/\/site' is not an http or https URL/],
]
for (const [args, message] of wrongUsages) {
  test(`'fogbow ${args}' is wrong usage, said before anything is sent`, async () => {
    const { code, stdout, stderr, requests } = await run({}, args.split(' '))
    assert.match(stderr, message)
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.deepEqual(requests, [])
  })
}

test('a creation whose connection is lost is repeated once, with the same idempotency key', async () => {
  const { code, stdout, requests } = await run(
    { 'POST /ras/volumes': [{ hangUp: true }, { status: 201, body: { id: 'v-1' } }] },
    ['volume', 'create', '--size', '1'],
  )
  assert.equal(code, 0)
  assert.equal(stdout, 'v-1\n')
  const keys = requests.map(({ headers }) => headers['idempotency-key'])
  assert.equal(keys.length, 2)
  assert.match(String(keys[0]), /^[0-9a-f-]{36}$/)
  assert.equal(keys[0], keys[1])
})

test('a connection that is lost twice ends with 4', async () => {
  const { code, stderr, requests } = await run({ 'POST /ras/volumes': { hangUp: true } }, [
    ...['volume', 'create', '--size', '1'],
  ])
  assert.equal(code, 4)
  assert.match(stderr, /error: The connection to http:\S+ failed/)
  assert.equal(requests.length, 2)
})

test('when nothing listens, the URL and the way to start a site are named', async () => {
  const closed = await startStubSite({})
  await closed.close()
  const { code, stderr } = await home.run(['compute', 'list', '--url', closed.url])
  assert.equal(code, 4)
  assert.equal(stderr, `error: Nothing listens at ${closed.url}\nstart a site with: fogbow start\n`)
})

test('a refusal shows the message, the field and the request id', async () => {
  const body = { message: 'too few', field: 'vCPU', code: 'quota_exceeded', requestId: 'r-9' }
  const { code, stdout, stderr } = await run({ 'POST /ras/computes': { status: 409, body } }, [
    ...['compute', 'create', '--image', 'i'],
  ])
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.equal(stderr, 'error: too few (field vCPU) [request r-9]\n')
})

test('an answer that is no JSON is told as the status and not shown', async () => {
  const { code, stderr } = await run({ 'GET /ras/computes/status': { status: 502 } }, [
    ...['compute', 'list'],
  ])
  assert.equal(code, 1)
  assert.match(stderr, /answered with status 502/)
})

test('a server that is no site is told from one by the shape of its answers', async () => {
  const { code, stderr } = await run({ 'GET /ras/computes/status': { body: 'hello' } }, [
    ...['compute', 'list'],
  ])
  assert.equal(code, 1)
  assert.match(stderr, /not a list, as that of a Fogbow site.*\ncheck the URL/)
})

test('a list is a table with a line per order', async () => {
  const { code, cells, requests } = await run(
    { 'GET /ras/computes/status': { body: [{ ...entry, state: 'READY' }] } },
    [
      ...[
        'compute',
        'list',
        '--state',
        'READY',
        '--state',
        'FAILED',
        '--name',
        'w b',
        '--limit',
        '5',
      ],
    ],
  )
  assert.equal(code, 0)
  assert.deepEqual(cells, [
    ['ID', 'NAME', 'STATE', 'PROVIDER', 'CLOUD'],
    ['o-1', 'web', 'READY', 'site.a', 'lab'],
  ])
  assert.equal(
    requests[0]?.target,
    '/ras/computes/status?state=READY&state=FAILED&name=w+b&limit=5',
  )
})

test('a list says when there is more, and --all follows every page', async () => {
  const pages: StubAnswers = {
    'GET /ras/volumes/status': {
      body: [{ ...entry, state: 'READY' }],
      headers: { link: '</ras/volumes/status?limit=1&cursor=a%2Bb>; rel="next"' },
    },
    'GET /ras/volumes/status?limit=1000&cursor=a%2Bb': { body: [{ ...entry, instanceId: 'o-2' }] },
  }
  const first = await run(pages, ['volume', 'list', '--limit', '1'])
  assert.equal(first.cells.length, 2)
  assert.match(first.stderr, /The first 1; see the rest with --all/)
  const all = await run(pages, ['volume', 'list', '--all', '--json'])
  const ids = (JSON.parse(all.stdout) as (typeof entry)[]).map(({ instanceId }) => instanceId)
  assert.deepEqual(ids, ['o-1', 'o-2'])
  assert.equal(all.stderr, '')
})

test('an order is shown field by field, without what is empty or said twice', async () => {
  const instance = { id: 'o-1', state: 'READY', ram: 2048, memory: 2048, faultMessage: '' }
  const networks = [{ id: 'n-1', name: 'default' }]
  const answers = { 'GET /ras/computes/o%2F1': { body: { ...instance, networks, vCPU: 0 } } }
  const { cells } = await run(answers, ['compute', 'show', 'o/1'])
  assert.deepEqual(cells, [
    ['id', 'o-1'],
    ['state', 'READY'],
    ['ram', '2048'],
    ['networks', 'default (n-1)'],
    ['vCPU', '0'],
  ])
  const { stdout } = await run(answers, ['compute', 'show', 'o/1', '--json'])
  assert.deepEqual(JSON.parse(stdout), { ...instance, networks, vCPU: 0 })
})

test('files inside an order are shortened on the screen, ids and messages never', async () => {
  const content = 'a'.repeat(4000)
  const faultMessage = 'No host '.repeat(50).trim()
  const userData = [{ extraUserDataFileContent: content, tag: 'setup.sh' }]
  const { cells } = await run({ 'GET /ras/computes/o-1': { body: { faultMessage, userData } } }, [
    ...['compute', 'show', 'o-1'],
  ])
  assert.deepEqual(cells, [
    ['faultMessage', faultMessage],
    ['userData', `extraUserDataFileContent=${'a'.repeat(39)}… tag=setup.sh`],
  ])
})

test('what a stranger wrote cannot give orders to the terminal', async () => {
  const evil = { ...entry, instanceName: 'a\u001b]0;owned\u0007\u009b2Jb\nc' }
  const { cells } = await run({ 'GET /ras/computes/status': { body: [evil] } }, [
    ...['compute', 'list'],
  ])
  assert.equal(cells.length, 2)
  assert.equal(cells[1]?.[1], 'a ]0;owned 2Jb c')
})

test('several orders are deleted; one that is refused keeps none of the others', async () => {
  const { code, stdout, stderr, requests } = await run(
    {
      'DELETE /ras/volumes/a': {},
      'DELETE /ras/volumes/b': { status: 404, body: { message: 'No such order' } },
      'DELETE /ras/volumes/c': {},
    },
    ['volume', 'delete', 'a', 'b', 'c'],
  )
  assert.equal(code, 1)
  assert.equal(stdout, 'a\nc\n')
  assert.equal(stderr, 'b: No such order\nerror: 1 of 3 failed\n')
  assert.equal(requests.length, 3)
})

test('power actions, snapshots and histories reach the paths of their order', async () => {
  const answers: StubAnswers = {
    'POST /ras/computes/o-1/pause': {},
    'POST /ras/computes/o-1/snapshot': { status: 201 },
    'GET /ras/computes/o-1/history': {
      body: [{ timestamp: '2030-01-01T00:00:00Z', state: 'OPEN', message: null }],
    },
  }
  const paused = await run(answers, ['compute', 'pause', 'o-1'])
  assert.deepEqual([paused.code, paused.stdout], [0, 'o-1\n'])
  const snapshot = await run(answers, ['compute', 'snapshot', 'o-1', '--name', 'nightly'])
  assert.deepEqual([snapshot.code, snapshot.requests[0]?.body], [0, { name: 'nightly' }])
  const history = await run(answers, ['compute', 'history', 'o-1'])
  assert.deepEqual(history.cells[1], ['2030-01-01T00:00:00Z', 'OPEN'])
})

test('security rules are created, listed and deleted in a network or a public IP', async () => {
  const rule = { protocol: 'TCP', direction: 'IN', cidr: '0.0.0.0/0', portFrom: 22, portTo: 22 }
  const answers: StubAnswers = {
    'POST /ras/networks/n-1/securityRules': { status: 201, body: { id: 'r-1' } },
    'GET /ras/publicIps/p-1/securityRules': { body: [{ id: 'r-1', ...rule, etherType: 'IPv4' }] },
    'DELETE /ras/networks/n-1/securityRules/r%2F1': {},
  }
  const created = await run(answers, [
    ...['security-rule', 'create', '--network', 'n-1', '--protocol', 'tcp', '--direction', 'in'],
    ...['--cidr', '0.0.0.0/0', '--port-from', '22', '--port-to', '22'],
  ])
  assert.deepEqual([created.code, created.stdout], [0, 'r-1\n'])
  assert.deepEqual(created.requests[0]?.body, rule)
  const listed = await run(answers, ['security-rule', 'list', '--public-ip', 'p-1'])
  assert.deepEqual(listed.cells[1], ['r-1', 'TCP', 'IPv4', 'IN', '22', '22', '0.0.0.0/0'])
  const deleted = await run(answers, ['security-rule', 'delete', 'r/1', '--network', 'n-1'])
  assert.deepEqual([deleted.code, deleted.stdout], [0, 'r/1\n'])
})

test("questions about a cloud go to the site's own name and its default cloud unless others are named", async () => {
  const answers: StubAnswers = {
    'GET /site.json': { body: { id: 'site.a' } },
    'GET /ras/clouds': { body: { clouds: ['lab', 'b'] } },
    'GET /ras/clouds/site.a': { body: { clouds: ['lab', 'b'] } },
    'GET /ras/images/site.a/lab': { body: [{ id: 'i-1', name: 'Debian' }] },
    'GET /ras/images/site.b/east%2F1/i-1': { body: { id: 'i-1', name: 'Debian', size: -1 } },
    'GET /ras/quota/site.a/b': {
      body: { totalQuota: { vCPU: 8, ram: -1 }, usedQuota: { vCPU: 2, ram: 512, fips: 1 } },
    },
    'GET /ras/computes/allocation/site.a/lab': { body: { instances: 1, vCPU: 2 } },
  }
  const images = await run(answers, ['image', 'list'])
  assert.deepEqual(images.cells, [
    ['ID', 'NAME'],
    ['i-1', 'Debian'],
  ])
  const image = await run(answers, [
    ...['image', 'show', 'i-1', '--provider', 'site.b', '--cloud', 'east/1'],
  ])
  assert.deepEqual(image.cells[2], ['size', '-1'])
  assert.equal(image.requests.length, 1)
  const quota = await run(answers, ['quota', 'show', '--cloud', 'b'])
  assert.deepEqual(quota.cells[0], ['NAME', 'TOTAL QUOTA', 'USED QUOTA'])
  assert.deepEqual(quota.cells.slice(2, 4), [
    ['vCPU', '8', '2'],
    ['ram', '-', '512'],
  ])
  assert.doesNotMatch(quota.stdout, /fips/)
  const allocation = await run(answers, ['compute', 'allocation'])
  assert.deepEqual(allocation.cells, [
    ['instances', '1'],
    ['vCPU', '2'],
  ])
  assert.equal((await run(answers, ['cloud', 'list'])).stdout, 'lab\nb\n')
})
