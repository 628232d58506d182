import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeHost, type FakeHost } from '@fogbow/plugin-sdk/testing'
import type { Settings } from '../config.ts'
import { createClouds } from './cloud.ts'

const authUrl = 'https://keystone.example:5000/v3'
const token = { username: 'ana', password: 'secret', project: 'physics' }
const call = { signal: new AbortController().signal, deadline: Number.MAX_SAFE_INTEGER }
const LIFETIME_MS = 3_600_000

interface Asked {
  method: string
  url: string
  token: string | null
  version: string | null
}

type Answers = (asked: Asked) => Response | undefined

/** A Keystone that numbers its tokens, and services that answer as a test says. */
function start(answers: Answers = () => undefined, config: Partial<Settings> = {}) {
  const asked: Asked[] = []
  let logins = 0
  const host: FakeHost<Settings> = createFakeHost<Settings>({
    config: { authUrl, ...config },
    fetch: async (input, init) => {
      const { method, url, headers } = new Request(input, init)
      const one = {
        method,
        url,
        token: headers.get('x-auth-token'),
        version: headers.get('openstack-api-version'),
      }
      asked.push(one)
      if (url.endsWith('/auth/tokens')) return login(++logins, host.clock.now())
      return answers(one) ?? Response.json({})
    },
  })
  return { host, asked, logins: () => logins, open: () => createClouds(host).open(token, call) }
}

function login(number: number, now: number): Response {
  const endpoint = (url: string, region = 'one', kind = 'public') => ({
    url,
    region_id: region,
    interface: kind,
  })
  const catalog = [
    {
      type: 'network',
      endpoints: [
        endpoint('https://neutron.example:9696/'),
        endpoint('https://inside.example', 'one', 'internal'),
      ],
    },
    { type: 'image', endpoints: [endpoint('https://glance.example/image/v2')] },
    {
      type: 'volumev3',
      endpoints: [endpoint('https://a.example/v3/p'), endpoint('https://b.example/v3/p', 'two')],
    },
    { type: 'compute', endpoints: [endpoint('https://nova.example/v2.1')] },
  ]
  const expires_at = new Date(now + LIFETIME_MS).toISOString()
  const body = { token: { expires_at, project: { id: 'p' }, catalog } }
  return Response.json(body, { status: 201, headers: { 'x-subject-token': `token-${number}` } })
}

const urls = (asked: readonly Asked[]) =>
  asked.filter(({ url }) => !url.endsWith('/auth/tokens')).map(({ url }) => url)

test('addresses come from the catalogue, with the version that it leaves out', async () => {
  const { open, asked } = start()
  const cloud = await open()
  await cloud.get('network', '/ports')
  await cloud.get('image', '/images')
  assert.deepEqual(urls(asked), [
    'https://neutron.example:9696/v2.0/ports',
    'https://glance.example/image/v2/images',
  ])
})

test('region and interface are those of the settings', async () => {
  const inside = start(undefined, { interface: 'internal' })
  await (await inside.open()).get('network', '/ports')
  assert.deepEqual(urls(inside.asked), ['https://inside.example/v2.0/ports'])
  const two = start(undefined, { region: 'two' })
  await (await two.open()).get('volume', '/volumes')
  assert.deepEqual(urls(two.asked), ['https://b.example/v3/p/volumes'])
  await assert.rejects((await two.open()).get('compute', '/servers'), {
    code: 'not_implemented',
    message: /no compute service in region 'two'/,
  })
})

test('a service in several regions needs a choice, and a region that is not there is named', async () => {
  await assert.rejects((await start().open()).get('volume', '/volumes'), {
    code: 'configuration_error',
    message: /set region to one of one, two/,
  })
  const wrong = start(undefined, { region: 'three' })
  await assert.rejects((await wrong.open()).get('volume', '/volumes'), {
    code: 'configuration_error',
    message: /no region 'three'; regions are one, two/,
  })
})

test('a token serves many calls and is renewed before it expires', async () => {
  const { host, open, logins, asked } = start()
  const cloud = await open()
  await Promise.all([1, 2, 3].map(() => cloud.get('network', '/ports')))
  assert.equal(logins(), 1)
  await host.clock.advance(LIFETIME_MS - 121_000)
  await cloud.get('network', '/ports')
  assert.equal(logins(), 1)
  await host.clock.advance(2000)
  await cloud.get('network', '/ports')
  assert.equal(logins(), 2)
  assert.equal(asked.at(-1)?.token, 'token-2')
})

test('a token that the cloud refuses is had anew, once', async () => {
  const refused = start(({ token }) =>
    token === 'token-1' ? new Response('', { status: 401 }) : undefined,
  )
  await (await refused.open()).get('network', '/ports')
  assert.equal(refused.logins(), 2)
  const always = start(() => new Response('', { status: 401 }))
  await assert.rejects((await always.open()).get('network', '/ports'), { code: 'unauthenticated' })
  assert.equal(always.logins(), 2)
})

test('the version of the Compute API is agreed upon once, and a service that is too old is named', async () => {
  const nova = (version: string) =>
    start(({ url }) =>
      url.endsWith('/v2.1/')
        ? Response.json({ version: { min_version: '2.1', version } })
        : undefined,
    )
  const { open, asked } = nova('2.93')
  const cloud = await open()
  await cloud.get('compute', '/servers')
  await cloud.get('compute', '/servers')
  assert.equal(asked.filter(({ url }) => url.endsWith('/v2.1/')).length, 1)
  assert.equal(asked.at(-1)?.version, 'compute 2.69')
  await assert.rejects((await nova('2.53').open()).get('compute', '/servers'), {
    code: 'configuration_error',
    message: /up to version 2\.53 .* 2\.69/,
  })
})

test('all pages of a list are read, wherever their links lead', async () => {
  const { open, asked } = start(({ url }) => {
    const isSecond = url.includes('marker=1')
    const next = { rel: 'next', href: 'http://10.0.0.1:9696/v2.0/ports?marker=1' }
    return Response.json({
      ports: [{ id: isSecond ? '2' : '1' }],
      ...(!isSecond && { ports_links: [next] }),
    })
  })
  const ports = await (await open()).list('network', '/ports', 'ports')
  assert.deepEqual(
    ports.map((port) => port.text('id')),
    ['1', '2'],
  )
  assert.equal(asked.at(-1)?.url, 'https://neutron.example:9696/v2.0/ports?marker=1')
})

test('an answer that is not as the API says leaves the outcome open', async () => {
  const { open } = start(() => Response.json({ ports: 'none' }))
  await assert.rejects((await open()).list('network', '/ports', 'ports'), {
    code: 'unavailable_provider',
    message: /network \/ports\.ports is no list/,
  })
})
