import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADMIN_PASSWORD } from '../support/site-process.ts'
import { Gui } from './gui.ts'
import { runSite } from './run-site.ts'

const SITE = 'site-a.test'
const CLOUD = 'emulated'
let gui: Gui

runSite(undefined, async (site) => {
  gui = new Gui(site.process.url)
  await gui.signIn('admin', ADMIN_PASSWORD)
})

/** The compute form: what was edited is text, what was not is a number. */
const computeForm = {
  name: 'from the form',
  provider: SITE,
  cloudName: CLOUD,
  imageId: 'debian-12',
  vCPU: 1,
  disk: '3',
  memory: '512',
  publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ana@home',
  requirements: {},
}

async function readyCompute(): Promise<string> {
  const id = await gui.order('/fns/computes', { compute: computeForm })
  await gui.untilRow('/fns/computes', id, 'READY')
  return id
}

async function readyVolume(): Promise<string> {
  const form = { name: 'data', size: '2', provider: SITE, requirements: {}, cloudName: CLOUD }
  const id = await gui.order('/fns/volumes', form)
  await gui.untilRow('/fns/volumes', id, 'READY')
  return id
}

async function readyNetwork(cidr: string): Promise<string> {
  const form = {
    name: 'lan',
    cidr,
    gateway: cidr.replace('.0/24', '.1'),
    allocationMode: 'dynamic',
    provider: SITE,
    cloudName: CLOUD,
  }
  const id = await gui.order('/fns/networks', form)
  await gui.untilRow('/fns/networks', id, 'READY')
  return id
}

test('the computes page creates a compute from its form, shows it and terminates it', async () => {
  const networkId = await readyNetwork('10.30.0.0/24')
  const { body: images } = await gui.get(`/fns/images/${SITE}/${CLOUD}`)
  assert.ok(Array.isArray(images) && images.length > 0)
  for (const { id, name } of images) assert.ok(typeof id === 'string' && typeof name === 'string')
  const networks = await gui.rows('/fns/networks')
  const ofCloud = networks.filter((row) => row.provider === SITE && row.cloudName === CLOUD)
  assert.deepEqual(
    ofCloud.map((row) => row.instanceId),
    [networkId],
  )
  assert.deepEqual(await gui.rows('/fns/federatedNetworks'), [])
  assert.deepEqual(await gui.rows('/fns/computes'), [])

  const userData = [
    {
      extraUserDataFileContent: Buffer.from('#!/bin/sh\necho hello\n').toString('base64'),
      extraUserDataFileType: 'SHELL_SCRIPT',
      tag: 'greeting',
    },
  ]
  const id = await gui.order('/fns/computes', {
    compute: { ...computeForm, networkIds: [networkId], userData },
  })
  const row = await gui.untilRow('/fns/computes', id, 'READY')
  assert.deepEqual(row, {
    instanceId: id,
    instanceName: 'from the form',
    provider: SITE,
    cloudName: CLOUD,
    state: 'READY',
  })

  const details = await gui.details(`/fns/computes/${id}`)
  assert.equal(details.id, id)
  assert.equal(details.name, 'from the form')
  assert.equal(details.state, 'READY')
  assert.equal(details.vCPU, 1)
  assert.equal(details.memory, 512)
  assert.equal(details.ram, 512)
  assert.equal(details.disk, 3)
  assert.equal(details.imageId, 'debian-12')
  assert.equal(details.publicKey, computeForm.publicKey)
  assert.deepEqual(details.userData, userData)
  assert.ok((details.ipAddresses as string[]).some((ip) => ip.startsWith('10.30.0.')))
  assert.deepEqual((details.networks as unknown[]).at(-1), { id: networkId, name: 'lan' })

  await gui.terminate('/fns/computes', id)
  assert.equal((await gui.get(`/fns/computes/${id}`)).status, 404)
  await gui.terminate('/fns/networks', networkId)
})

test('the volumes page creates a volume whose size is a text, shows it and deletes it', async () => {
  const id = await readyVolume()
  const details = await gui.details(`/fns/volumes/${id}`)
  const { name, state, size } = details
  assert.deepEqual(
    { id: details.id, name, state, size },
    { id, name: 'data', state: 'READY', size: 2 },
  )
  await gui.terminate('/fns/volumes', id)
})

for (const allocationMode of ['dynamic', 'static']) {
  test(`the networks page creates a ${allocationMode} network, shows it with its rules and deletes it`, async () => {
    const id = await gui.order('/fns/networks', {
      name: 'lan',
      cidr: '10.31.0.0/24',
      gateway: '10.31.0.1',
      allocationMode,
      provider: SITE,
      cloudName: CLOUD,
    })
    await gui.untilRow('/fns/networks', id, 'READY')
    const details = await gui.details(`/fns/networks/${id}`)
    assert.equal(details.id, id)
    assert.equal(details.name, 'lan')
    assert.equal(details.state, 'READY')
    assert.equal(details.cidr, '10.31.0.0/24')
    assert.equal(details.gateway, '10.31.0.1')
    assert.equal(details.allocationMode, allocationMode)
    assert.deepEqual((await gui.get(`/fns/networks/${id}/securityRules`)).body, [])
    await gui.terminate('/fns/networks', id)
  })
}

const ruleForm = {
  direction: 'IN',
  portFrom: '22',
  portTo: '22',
  cidr: '0.0.0.0/0',
  etherType: 'IPv4',
  protocol: 'TCP',
}

/** Goes through the rules of a network or a public IP as their details page does. */
async function useRulesOf(parent: string): Promise<void> {
  const path = `${parent}/securityRules`
  const id = await gui.order(path, ruleForm)
  const { body: rules } = await gui.get(path)
  const [rule] = rules as Record<string, unknown>[]
  const { direction, etherType, protocol, portFrom, portTo, cidr } = rule ?? {}
  assert.deepEqual(
    { id: rule?.id, direction, etherType, protocol, portFrom, portTo, cidr },
    { ...ruleForm, id, portFrom: 22, portTo: 22 },
  )

  // Port 0 and an empty port are dropped by the form.
  const any = { direction: 'OUT', cidr: '::/0', etherType: 'IPv6', protocol: 'Any' }
  const anyId = await gui.order(path, any)
  const { body: both } = await gui.get(path)
  const added = (both as Record<string, unknown>[]).find((each) => each.id === anyId)
  assert.equal(added?.protocol, 'ANY')
  assert.equal(added?.portFrom, 0)

  for (const ruleId of [id, anyId]) {
    const { status } = await gui.delete(`${path}/${encodeURIComponent(ruleId)}`)
    assert.ok(status >= 200 && status < 300)
  }
  assert.deepEqual((await gui.get(path)).body, [])
}

test('the rules of a network are added, shown and removed from its details page', async () => {
  const id = await readyNetwork('10.32.0.0/24')
  await useRulesOf(`/fns/networks/${id}`)
  await gui.terminate('/fns/networks', id)
})

test('the attachments page attaches with copies of both lists in the body, shows it and detaches', async () => {
  const [computeId, volumeId] = await Promise.all([readyCompute(), readyVolume()])
  assert.deepEqual(await gui.rows('/fns/attachments'), [])
  const computesCopy = await gui.rows('/fns/computes')
  const volumesCopy = await gui.rows('/fns/volumes')
  for (const row of [...computesCopy, ...volumesCopy]) {
    assert.equal(typeof row.instanceName, 'string')
    assert.equal(row.state, 'READY')
  }
  const id = await gui.order('/fns/attachments', {
    computeId,
    volumeId,
    device: '/dev/sdb',
    computesCopy,
    volumesCopy,
    cloudName: CLOUD,
  })
  const row = await gui.untilRow('/fns/attachments', id, 'READY')
  assert.equal(typeof row.instanceName, 'string')
  const details = await gui.details(`/fns/attachments/${id}`)
  assert.deepEqual(
    {
      state: details.state,
      computeId: details.computeId,
      computeName: details.computeName,
      volumeId: details.volumeId,
      volumeName: details.volumeName,
      device: details.device,
    },
    {
      state: 'READY',
      computeId,
      computeName: 'from the form',
      volumeId,
      volumeName: 'data',
      device: '/dev/sdb',
    },
  )
  await gui.terminate('/fns/attachments', id)
  await gui.terminate('/fns/volumes', volumeId)
  await gui.terminate('/fns/computes', computeId)
})

test('the public IP page orders an address for a compute, shows it with its rules and releases it', async () => {
  const computeId = await readyCompute()
  assert.deepEqual(await gui.rows('/fns/publicIps'), [])
  const computesCopy = await gui.rows('/fns/computes')
  const id = await gui.order('/fns/publicIps', { computeId, computesCopy, cloudName: CLOUD })
  const row = await gui.untilRow('/fns/publicIps', id, 'READY')
  assert.equal(typeof row.instanceName, 'string')
  const details = await gui.details(`/fns/publicIps/${id}`)
  assert.equal(details.id, id)
  assert.match(String(details.ip), /^\d+\.\d+\.\d+\.\d+$/)
  assert.equal(details.computeId, computeId)
  assert.equal(details.computeName, 'from the form')
  await useRulesOf(`/fns/publicIps/${id}`)
  await gui.terminate('/fns/publicIps', id)
  await gui.terminate('/fns/computes', computeId)
})

test('a compute that is in use is not terminated, and the message says by what', async () => {
  const computeId = await readyCompute()
  const id = await gui.order('/fns/publicIps', { computeId, computesCopy: [], cloudName: CLOUD })
  const { status, body } = await gui.delete(`/fns/computes/${computeId}`)
  assert.equal(status, 406)
  assert.ok((body as { message: string }).message.includes(id))
  await gui.terminate('/fns/publicIps', id)
  await gui.terminate('/fns/computes', computeId)
})

test('a compute that the cloud refuses is shown with the reason, and terminated like any other', async () => {
  const compute = { ...computeForm, imageId: 'no-such-image' }
  const id = await gui.order('/fns/computes', { compute })
  await gui.untilRow('/fns/computes', id, 'ERROR')
  const details = await gui.details(`/fns/computes/${id}`)
  assert.equal(details.state, 'ERROR')
  assert.match(String(details.faultMessage), /no-such-image/)
  assert.equal(details.ready, false)
  await gui.terminate('/fns/computes', id)
})

test('the federated networks page shows none, and creating one is refused with 501 in clear words', async () => {
  assert.deepEqual(await gui.rows('/fns/federatedNetworks'), [])
  const form = { name: 'fed', cidr: '10.40.0.0/24', providers: [SITE] }
  const { status, body } = await gui.post('/fns/federatedNetworks', form)
  assert.equal(status, 501)
  assert.match((body as { message: string }).message, /[Ff]ederated networks are not available/)
  assert.equal((await gui.get('/fns/federatedNetworks/none')).status, 404)
  assert.equal((await gui.delete('/fns/federatedNetworks/none')).status, 404)
  assert.deepEqual(await gui.rows('/fns/federatedNetworks'), [])
})

test('a compute in a federated network is refused with 501, and none is made without it', async () => {
  const body = { federatedNetworkId: 'fed', compute: computeForm }
  assert.equal((await gui.post('/fns/computes', body)).status, 501)
  assert.deepEqual(await gui.rows('/fns/computes'), [])
})
