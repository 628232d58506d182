import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer, Client } from '../support/client.ts'
import { siteConfig } from '../support/site-process.ts'
import { clear, requests, runSite } from './run-site.ts'

const SITE = 'site-a.test'
const LIST = '/ras/volumes/status'
const CLOUDS = ['emulated', 'second']

const site = runSite({
  config: siteConfig({
    site: {
      clouds: Object.fromEntries(
        CLOUDS.map((name) => [name, { plugin: 'emulated', mapper: 'account' }]),
      ),
    },
  }),
})

interface Entry {
  instanceId: string
  instanceName: string
  cloudName: string
  state: string
}

const entries = (answer: Answer) => {
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body as Entry[]
}
const ids = (answer: Answer) => entries(answer).map(({ instanceId }) => instanceId)
const names = (answer: Answer) => entries(answer).map(({ instanceName }) => instanceName)

async function createVolumes(client: Client, more: readonly object[]): Promise<string[]> {
  const made: string[] = []
  for (const each of more) made.push(await client.create('/ras/volumes', { size: 1, ...each }))
  for (const id of made) await client.until(`/ras/volumes/${id}`, 'READY')
  return made
}

function nextOf({ headers }: Answer): string | undefined {
  return /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1]
}

async function pages(client: Client, path: string): Promise<Answer[]> {
  const read: Answer[] = []
  for (let next: string | undefined = path; next; next = nextOf(read.at(-1) as Answer)) {
    read.push(await client.get(next))
    assert.ok(read.length < 50, 'pages do not end')
  }
  return read
}

test('pages together are the list, oldest first, and only the last has no link to another', async () => {
  const made = await createVolumes(
    site.admin,
    Array.from({ length: 6 }, () => ({})),
  )
  assert.deepEqual(ids(await site.admin.get(LIST)), made)
  for (const limit of [1, 2, 4, 6, 100]) {
    const read = await pages(site.admin, `${LIST}?limit=${limit}`)
    assert.deepEqual(read.flatMap(ids), made)
    assert.equal(read.length, Math.ceil(made.length / limit), `limit ${limit}`)
    for (const page of read) assert.ok(ids(page).length > 0 && ids(page).length <= limit)
  }
  const other = await site.user('ana')
  assert.deepEqual(await pages(other, `${LIST}?limit=2`).then((read) => read.flatMap(ids)), [])
  await clear(site.admin)
})

test('what is deleted while pages are read is neither in the way of the others nor shows one twice', async () => {
  const made = await createVolumes(
    site.admin,
    Array.from({ length: 5 }, () => ({})),
  )
  const first = await site.admin.get(`${LIST}?limit=2`)
  await site.admin.delete(`/ras/volumes/${made[1]}`)
  await site.admin.until(`/ras/volumes/${made[1]}`, 'GONE')
  const rest = await pages(site.admin, nextOf(first) ?? '')
  assert.deepEqual([...ids(first), ...rest.flatMap(ids)], made)
  await clear(site.admin)
})

test('filters by cloud, provider, state and part of the name keep exactly what fits, also page by page', async () => {
  await createVolumes(site.admin, [
    { name: 'Data one' },
    { name: 'data two', cloudName: 'second' },
    { name: 'logs_100%' },
    { name: 'logsX100Y', cloudName: 'second' },
  ])
  const filtered = async (query: string) => names(await site.admin.get(`${LIST}?${query}`)).sort()
  assert.deepEqual(await filtered('cloudName=second'), ['data two', 'logsX100Y'])
  assert.deepEqual(await filtered('cloudName=other'), [])
  assert.equal((await filtered(`provider=${SITE}`)).length, 4)
  assert.deepEqual(await filtered('provider=site-b.test'), [])
  assert.deepEqual(await filtered('name=DATA'), ['Data one', 'data two'])
  assert.deepEqual(await filtered('name=data&cloudName=second'), ['data two'])
  assert.deepEqual(await filtered(`name=${encodeURIComponent('s_1')}`), ['logs_100%'])
  assert.deepEqual(await filtered(`name=${encodeURIComponent('%')}`), ['logs_100%'])
  assert.equal((await filtered('state=READY')).length, 4)
  assert.equal((await filtered('state=READY,PAUSED')).length, 4)
  assert.equal((await filtered('state=PAUSED&state=READY')).length, 4)
  assert.deepEqual(await filtered('state=PAUSED'), [])
  const read = await pages(site.admin, `${LIST}?limit=1&name=data`)
  assert.deepEqual(read.flatMap(names), ['Data one', 'data two'])
  await clear(site.admin)
})

test('a query that cannot be read is refused with 400 that names the parameter', async () => {
  const wrong = [
    ['limit=0', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=many', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['cursor=x', 'cursor'],
    ['cursor=', 'cursor'],
    ['cursor=99999999999999999999', 'cursor'],
    ['state=ready-ish', 'state'],
    ['state=', 'state'],
    ['cloudName=', 'cloudName'],
    [`name=${'x'.repeat(256)}`, 'name'],
    ['colour=blue', 'colour'],
    ['__proto__=x', '__proto__'],
    ['name=%E0%A4%A', 'query'],
  ] as const
  for (const [query, name] of wrong) {
    const { status, body } = await site.admin.get(`${LIST}?${query}`)
    assert.equal(status, 400, query)
    assert.ok((body as { message: string }).message.includes(name), JSON.stringify(body))
  }
})

test('the tag of a list stays while nothing changes, and 304 says so without a body', async () => {
  const [id] = await createVolumes(site.admin, [{}])
  const first = await site.admin.get(LIST)
  const tag = first.headers.get('etag') ?? ''
  assert.notEqual(tag, '')
  const conditional = (ifNoneMatch: string, path = LIST) =>
    site.admin.get(path, { headers: { 'If-None-Match': ifNoneMatch } })
  for (const given of [tag, tag.replace(/^W\//, ''), `"other", ${tag}`, '*']) {
    const same = await conditional(given)
    assert.equal(same.status, 304, given)
    assert.equal(same.body, undefined)
    assert.equal(same.headers.get('etag'), tag)
  }
  assert.equal((await conditional('"other"')).status, 200)
  await site.admin.get(`/ras/volumes/${id}`)
  assert.equal((await conditional(tag)).status, 304)
  await clear(site.admin)
})

test('the tag changes with what is made, with each change of state and with what is gone', async () => {
  const tag = async () => (await site.admin.get('/ras/computes/status')).headers.get('etag')
  const seen = [await tag()]
  const changed = async () => {
    const now = await tag()
    assert.ok(!seen.includes(now), 'the list changed and its tag did not')
    seen.push(now)
  }
  const id = await site.admin.create('/ras/computes', requests.compute)
  const path = `/ras/computes/${id}`
  await site.admin.until(path, 'READY')
  await changed()
  await site.admin.post(`${path}/pause`)
  await site.admin.until(path, 'PAUSED')
  await changed()
  await site.admin.delete(path)
  await site.admin.until(path, 'GONE')
  await changed()
})

test('two users never share the tag of a list', async () => {
  const ben = await site.user('ben')
  const [mine, theirs] = await Promise.all([site.admin.get(LIST), ben.get(LIST)])
  assert.notEqual(mine.headers.get('etag'), theirs.headers.get('etag'))
  const tag = mine.headers.get('etag') ?? ''
  assert.equal((await ben.get(LIST, { headers: { 'If-None-Match': tag } })).status, 200)
  assert.match(mine.headers.get('vary') ?? '', /Fogbow-User-Token/i)
  assert.doesNotMatch(mine.headers.get('cache-control') ?? '', /public/)
})

test('the audit is paged as well, newest first', async () => {
  const read: Answer[] = []
  for (let next: string | undefined = '/ras/admin/audit?limit=5'; next && read.length < 3; ) {
    const page = await site.admin.get(next)
    read.push(page)
    next = nextOf(page)
  }
  const seen = read.flatMap((page) => (page.body as { id: number }[]).map(({ id }) => id))
  assert.equal(seen.length, 15)
  assert.deepEqual(
    seen,
    [...new Set(seen)].sort((a, b) => b - a),
  )
})

test('an answer carries the request id of the client, or one of its own when that cannot stand in a log', async () => {
  const idOf = async (given?: string) => {
    const headers: Record<string, string> = given === undefined ? {} : { 'X-Request-Id': given }
    return (await site.admin.get('/ras/clouds', { headers })).headers.get('x-request-id') ?? ''
  }
  assert.equal(await idOf('my-request.1'), 'my-request.1')
  assert.match(await idOf(), /^[0-9a-f-]{36}$/)
  assert.notEqual(await idOf(), await idOf())
  for (const bad of ['with blanks in it', 'x'.repeat(129), 'quote"']) {
    assert.match(await idOf(bad), /^[0-9a-f-]{36}$/)
  }
  const { body, headers } = await site.admin.get('/ras/computes/none')
  assert.equal((body as { requestId: string }).requestId, headers.get('x-request-id'))
})
