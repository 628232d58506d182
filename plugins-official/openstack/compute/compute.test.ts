import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cloudName, tagOf } from '../order-tag.ts'
import { segment } from '../parts.ts'
import { chooseFlavor, type Flavor } from './flavors.ts'
import { toUserData } from './user-data.ts'

const flavor = (
  name: string,
  vCPU: number,
  ram: number,
  disk: number,
  requirements = {},
): Flavor => ({
  id: name,
  name,
  vCPU,
  ram,
  disk,
  requirements,
})
const flavors = [
  flavor('large', 4, 8192, 80),
  flavor('small', 1, 1024, 10),
  flavor('diskless', 1, 1024, 0),
  flavor('ssd', 2, 2048, 20, { class: 'ssd' }),
]
const choose = (wanted: object, fromVolume = false) =>
  chooseFlavor(flavors, { vCPU: 0, ram: 0, disk: 0, requirements: {}, ...wanted }, fromVolume).name

test('the smallest flavor with all that is asked for is taken', () => {
  assert.equal(choose({}), 'small')
  assert.equal(choose({ vCPU: 1, ram: 1025 }), 'ssd')
  assert.equal(choose({ requirements: { class: 'ssd' } }), 'ssd')
  assert.equal(choose({ requirements: { flavor: 'large' } }), 'large')
})

test('a disk that no flavor of the size has comes from a volume', () => {
  assert.equal(choose({ disk: 50 }), 'diskless')
  assert.equal(choose({ disk: 50 }, true), 'small')
})

test('what no flavor has is refused, and named', () => {
  assert.throws(() => choose({ vCPU: 5, requirements: { gpu: 'yes' } }), {
    code: 'unacceptable_operation',
    message: /5 vCPU, .*gpu=yes/,
  })
})

test('parts of user data become one message, in which none can end another', () => {
  const content = Buffer.from('#!/bin/sh\necho "--fogbow"\n').toString('base64')
  const text = toUserData([
    { extraUserDataFileContent: content, extraUserDataFileType: 'SHELL_SCRIPT' },
    { extraUserDataFileContent: content, extraUserDataFileType: 'CLOUD_CONFIG' },
    { extraUserDataFileType: 'CLOUD_CONFIG' },
  ])
  const message = Buffer.from(text ?? '', 'base64').toString()
  const boundary = /boundary="([^"]+)"/.exec(message)?.[1]
  const [, ...parts] = message.split(`--${boundary}`)
  assert.equal(parts.length, 3)
  assert.equal(parts[2], '--\r\n')
  const [head = '', body = ''] = (parts[0] ?? '').split('\r\n\r\n')
  assert.match(head, /Content-Type: text\/x-shellscript/)
  assert.equal(body.replace(/\s/g, ''), content)
  assert.equal(toUserData([]), undefined)
})

test('tags fit into every service, and differ for every order', async () => {
  assert.equal(await tagOf('a-b'), 'fogbow-a-b')
  const strange = await Promise.all(['x'.repeat(64), `${'x'.repeat(63)}y`, 'a,b', 'a/b'].map(tagOf))
  assert.equal(new Set(strange).size, 4)
  for (const tag of strange) assert.match(tag, /^[A-Za-z0-9-]{1,60}$/)
})

test('names are as every service takes them', () => {
  assert.equal(cloudName(' Büro \n名前 🐦 ', 'tag'), 'Büro 名前 ?')
  assert.equal(cloudName(' \u0000 ', 'tag'), 'tag')
  assert.equal(cloudName('x'.repeat(300), 'tag').length, 255)
})

test('an id cannot lead to another path', () => {
  for (const id of ['', '..', '.', 'a/../b', 'a?b', 'a#b', '%2e%2e', '%2E.']) {
    const { pathname, search } = new URL(`https://x.example/servers/${segment(id)}`)
    assert.match(pathname, /^\/servers\/[^/]+$/, id)
    assert.equal(search, '')
  }
})
