import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
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

async function run(answers: StubAnswers, args: string[]) {
  await site?.close()
  site = await startStubSite(answers)
  const result = await home.run(args, { env: { FOGBOW_URL: site.url } })
  return { ...result, requests: site.requests }
}

const created = { status: 201, body: { id: 'o-1' } }
const order = (state: string, more = {}) => ({ body: { id: 'o-1', name: 'web', state, ...more } })
const list = (state: string, etag: string) => ({
  headers: { etag },
  body: [{ instanceId: 'o-1', instanceName: 'web', state }],
})
const createAndWait = ['compute', 'create', '--image', 'i', '--wait']

test('waiting asks the cloud once and then the list, only for what changed', async () => {
  const { code, stdout, stderr, requests } = await run(
    {
      'POST /ras/computes': created,
      'GET /ras/computes/o-1': order('DISPATCHED'),
      'GET /ras/computes/status?name=web': [
        list('CREATING', '"1"'),
        { status: 304 },
        list('READY', '"2"'),
      ],
    },
    createAndWait,
  )
  assert.equal(code, 0)
  assert.equal(stdout, 'o-1\n')
  assert.equal(stderr, '')
  const asked = requests.slice(1)
  assert.deepEqual(
    asked.map(({ target }) => target),
    ['/ras/computes/o-1', ...Array(3).fill('/ras/computes/status?name=web')],
  )
  assert.deepEqual(
    asked.map(({ headers }) => headers['if-none-match']),
    [undefined, undefined, '"1"', '"1"'],
  )
})

test('an order that fails ends the wait with 1 and the reason', async () => {
  const { code, stdout, stderr } = await run(
    {
      'POST /ras/computes': created,
      'GET /ras/computes/o-1': [
        order('CREATING'),
        order('FAILED', { faultMessage: 'No host is left' }),
      ],
      'GET /ras/computes/status?name=web': list('FAILED', '"1"'),
    },
    createAndWait,
  )
  assert.equal(code, 1)
  assert.equal(stdout, 'o-1\n')
  assert.match(
    stderr,
    /error: Compute o-1 is FAILED: No host is left\ndelete it with: fogbow compute/,
  )
})

test('a wait that takes too long ends with 5 and says how to go on', async () => {
  const { code, stdout, stderr } = await run(
    {
      'POST /ras/computes': created,
      'GET /ras/computes/o-1': order('CREATING'),
      'GET /ras/computes/status?name=web': list('CREATING', '"1"'),
    },
    [...createAndWait, '--timeout', '0.2'],
  )
  assert.equal(code, 5)
  assert.equal(stdout, 'o-1\n')
  assert.match(stderr, /Compute o-1 is not ready after 0\.2 s: CREATING\n.*fogbow compute wait o-1/)
})

test('a site that is away or busy for a moment does not end the wait', async () => {
  const { code } = await run(
    {
      'GET /ras/computes/o-1': order('CREATING'),
      'GET /ras/computes/status?name=web': [
        { hangUp: true },
        { hangUp: true },
        { status: 503, headers: { 'retry-after': '0' }, body: { message: 'starting' } },
        { status: 429, headers: { 'retry-after': '0' }, body: { message: 'slow down' } },
        list('READY', '"1"'),
      ],
    },
    ['compute', 'wait', 'o-1'],
  )
  assert.equal(code, 0)
})

test('a token that expires meanwhile ends the wait with 3', async () => {
  const { code } = await run(
    {
      'GET /ras/computes/o-1': order('CREATING'),
      'GET /ras/computes/status?name=web': { status: 401, body: { message: 'expired' } },
    },
    ['compute', 'wait', 'o-1'],
  )
  assert.equal(code, 3)
})

test('an order that vanishes while it should become ready ends the wait with 1', async () => {
  const { code, stderr } = await run(
    {
      'GET /ras/computes/o-1': [order('CREATING'), { status: 404, body: { message: 'gone' } }],
      'GET /ras/computes/status?name=web': { body: [] },
    },
    ['compute', 'wait', 'o-1'],
  )
  assert.equal(code, 1)
  assert.match(stderr, /Compute o-1 was deleted meanwhile/)
})

test('a deletion is waited for until the order itself is not found any more', async () => {
  const { code, stdout, requests } = await run(
    {
      'DELETE /ras/publicIps/o-1': {},
      'GET /ras/publicIps/o-1': [
        order('DELETING'),
        order('DELETING'),
        { status: 404, body: { message: 'gone' } },
      ],
      'GET /ras/publicIps/status': [list('DELETING', '"1"'), { body: [] }],
    },
    ['public-ip', 'delete', 'o-1', '--wait'],
  )
  assert.equal(code, 0)
  assert.equal(stdout, 'o-1\n')
  assert.equal(requests.at(-1)?.target, '/ras/publicIps/o-1')
})

test('with --json the order is printed as it is when the wait ends', async () => {
  const { stdout } = await run(
    { 'POST /ras/computes': created, 'GET /ras/computes/o-1': order('READY', { vCPU: 2 }) },
    [...createAndWait, '--json'],
  )
  assert.deepEqual(JSON.parse(stdout), { id: 'o-1', name: 'web', state: 'READY', vCPU: 2 })
})

test('an interrupted wait ends with 130 and says that the order goes on', async () => {
  await site?.close()
  site = await startStubSite({
    'GET /ras/computes/o-1': order('CREATING'),
    'GET /ras/computes/status?name=web': list('CREATING', '"1"'),
  })
  const { requests } = site
  const env = { FOGBOW_URL: site.url }
  const isWaiting = () => requests.length > 1
  const interrupted = home.run(['compute', 'wait', 'o-1'], { env, interruptWhen: isWaiting })
  const { code, stderr } = await interrupted
  assert.equal(code, 130)
  assert.equal(stderr, 'error: Interrupted\nit goes on; wait again with: fogbow compute wait o-1\n')
})
