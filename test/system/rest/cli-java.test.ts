import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer } from '../support/client.ts'
import { ADMIN_PASSWORD } from '../support/site-process.ts'
import { runSite } from './run-site.ts'

const SITE = 'site-a.test'
const CLOUD = 'emulated'
const PLACE = `${SITE}/${CLOUD}`
const site = runSite()

const javaHeaders = {
  'Content-Type': 'application/json',
  Accept: 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2',
}

/** As the older command line client calls: no client branches on anything but the status and `id`. */
const java = (method: string, path: string, body?: unknown): Promise<Answer> =>
  site.admin.call(method, path, body, { headers: javaHeaders })

async function create(path: string, body: unknown): Promise<string> {
  const answer = await java('POST', path, body)
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return (answer.body as { id: string }).id
}

async function getAll(path: string): Promise<{ instanceId: string; state: string }[]> {
  const answer = await java('GET', `${path}/status`)
  assert.equal(answer.status, 200)
  return answer.body as { instanceId: string; state: string }[]
}

async function remove(path: string, id: string): Promise<void> {
  const answer = await java('DELETE', `${path}/${id}`)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  assert.equal(answer.body, undefined)
  await site.admin.until(`${path}/${id}`, 'GONE')
}

const computeBody = {
  vCPU: '1',
  memory: '512',
  disk: '3',
  imageId: 'debian-12',
  networkIds: [],
  name: 'from the shell',
  publicKey: 'ssh-ed25519 AAAA ana',
  provider: SITE,
  userData: [],
  requirements: {},
  cloudName: CLOUD,
}

for (const service of ['ras', 'fns']) {
  test(`compute commands against /${service} create, list, show and delete with double slashes and texts for numbers`, async () => {
    const path = `/${service}//computes`
    const id = await create(path, computeBody)
    await site.admin.until(`${path}/${id}`, 'READY')
    assert.deepEqual(
      (await getAll(path)).map(({ instanceId }) => instanceId),
      [id],
    )
    const { body } = await java('GET', `${path}/${id}`)
    const { vCPU, ram, memory, disk, name } = body as Record<string, unknown>
    assert.deepEqual(
      { vCPU, ram, memory, disk, name },
      { vCPU: 1, ram: 512, memory: 512, disk: 3, name: 'from the shell' },
    )
    const allocation = await java('GET', `${path}/allocation/${PLACE}`)
    assert.deepEqual(allocation.body, { instances: 1, vCPU: 1, ram: 512, disk: 3 })
    await remove(path, id)
  })

  test(`clouds, images and quota commands against /${service} read what is there`, async () => {
    assert.deepEqual((await java('GET', `/${service}/clouds`)).body, { clouds: [CLOUD] })
    assert.deepEqual((await java('GET', `/${service}/clouds/${SITE}`)).body, { clouds: [CLOUD] })
    const images = (await java('GET', `/${service}//images/${PLACE}`)).body as { id: string }[]
    assert.ok(images.length > 0)
    const one = await java('GET', `/${service}//images/${PLACE}/${images[0]?.id}`)
    assert.equal((one.body as { id: string }).id, images[0]?.id)
    const older = await java('GET', `/${service}//computes/quota/${PLACE}`)
    const newer = await java('GET', `/${service}/quota/${PLACE}`)
    assert.equal(older.status, 200)
    assert.deepEqual(older.body, newer.body)
  })
}

test('a compute wrapped for a federated network is refused, since there are none', async () => {
  const body = { federatedNetworkId: 'fed', compute: computeBody, cloudName: CLOUD }
  assert.equal((await java('POST', '/fns//computes', body)).status, 501)
  assert.deepEqual(await getAll('/fns//computes'), [])
})

test('the token command logs in with whatever credentials it was given', async () => {
  const credentials = { username: 'admin', password: ADMIN_PASSWORD, domain: 'ours' }
  const body = { credentials, publicKey: 'MIIB' }
  const answer = await site.admin.post('/as/tokens', body, { token: null, headers: javaHeaders })
  assert.equal(answer.status, 201)
  const { token } = answer.body as { token: string }
  const { body: user } = await site.admin.get('/as/user', { token })
  assert.equal((user as { id: string }).id, 'admin')
})

test('member, public-key and version commands work without any header', async () => {
  const plain = async (path: string) =>
    (await (await fetch(site.process.url + path)).json()) as Record<string, unknown>
  assert.deepEqual(await plain('/ms/members'), { members: [SITE] })
  for (const service of ['as', 'ras', 'fns', 'ms']) {
    assert.equal(typeof (await plain(`/${service}/publicKey`)).publicKey, 'string')
    assert.equal(typeof (await plain(`/${service}/version`)).version, 'string')
  }
})

test('a volume whose size is called volumeSize gets that size', async () => {
  const id = await create('/ras//volumes', {
    name: 'data',
    provider: SITE,
    requirements: {},
    volumeSize: '7',
    cloudName: CLOUD,
  })
  const volume = await site.admin.until(`/ras/volumes/${id}`, 'READY')
  assert.equal(volume.size, 7)
  await remove('/ras//volumes', id)
})

test('network and security rule commands work with double slashes and fields that nobody knows', async () => {
  const network = await create('/ras//networks', {
    name: 'lan',
    provider: SITE,
    cidr: '10.50.0.0/24',
    gateway: '10.50.0.1',
    allocationMode: 'static',
    cloudName: CLOUD,
    memberId: SITE,
  })
  await site.admin.until(`/ras/networks/${network}`, 'READY')
  const path = `/ras//networks/${network}/securityRules`
  const rule = await create(path, {
    cidr: '10.0.0.0/8',
    direction: 'IN',
    etherType: 'IPv4',
    instanceId: network,
    portFrom: '80',
    portTo: '90',
    protocol: 'TCP',
  })
  const rules = (await java('GET', path)).body as Record<string, unknown>[]
  assert.deepEqual(
    rules.map(({ id, portFrom, portTo }) => ({ id, portFrom, portTo })),
    [{ id: rule, portFrom: 80, portTo: 90 }],
  )
  const gone = await java('DELETE', `${path}/${encodeURIComponent(rule)}`)
  assert.equal(gone.status, 200)
  await remove('/ras//networks', network)
})

test('attachment and public-ip commands work without provider and cloud', async () => {
  const compute = await create('/ras//computes', computeBody)
  const volume = await create('/ras//volumes', { volumeSize: '1' })
  await site.admin.until(`/ras/computes/${compute}`, 'READY')
  await site.admin.until(`/ras/volumes/${volume}`, 'READY')
  const attachment = await create('/ras//attachments', {
    computeId: compute,
    volumeId: volume,
    device: '/dev/sdc',
  })
  const publicIp = await create('/ras//publicIps', { computeId: compute })
  const attached = await site.admin.until(`/ras/attachments/${attachment}`, 'READY')
  assert.equal(attached.device, '/dev/sdc')
  await site.admin.until(`/ras/publicIps/${publicIp}`, 'READY')
  await remove('/ras//attachments', attachment)
  await remove('/ras//publicIps', publicIp)
  await remove('/ras//volumes', volume)
  await remove('/ras//computes', compute)
})

test('an empty number counts as none, a decimal is cut, and a boolean becomes a text', async () => {
  const id = await create('/ras//computes', {
    ...computeBody,
    vCPU: '',
    memory: null,
    disk: 3.9,
    name: true,
  })
  const compute = await site.admin.until(`/ras/computes/${id}`, 'READY')
  assert.equal(compute.name, 'true')
  assert.equal(compute.disk, 3)
  await remove('/ras//computes', id)
})
