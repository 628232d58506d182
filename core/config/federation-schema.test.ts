import assert from 'node:assert/strict'
import { test } from 'node:test'
import { completerFor } from '@fogbow/plugin-sdk/validate'
import { federationSchema } from './federation-schema.ts'

const complete = completerFor(federationSchema)

test('the secret of the component is all that has to be said, and only as a reference', () => {
  const written = { xmpp: { secret: 'env:XMPP_SECRET' } }
  assert.equal(complete(written), undefined)
  assert.deepEqual(written, {
    enabled: true,
    xmpp: { host: '127.0.0.1', port: 5347, secret: 'env:XMPP_SECRET' },
    peers: {},
    newKeys: 'announced',
    encryption: 'never',
    reads: 'shared',
    unsigned: 'refused',
    identityProviders: [],
    concurrency: 32,
  })
  assert.equal(complete({ xmpp: { secret: 'hush' } })?.field, 'xmpp.secret')
  assert.equal(complete({})?.field, 'xmpp')
})

test('a peer is named by the id of a member, with keys that can be read', () => {
  const key = `${'k'.repeat(43)}:${'x'.repeat(43)}`
  const withPeer = (id: string, peer: object) =>
    complete({ xmpp: { secret: 'env:S' }, peers: { [id]: peer } })
  assert.equal(withPeer('site-b.example', { keys: [key], dialect: 'own' }), undefined)
  assert.match(withPeer('site-b.example', { keys: ['x'] })?.field ?? '', /keys\[0\]/)
  assert.ok(withPeer('Site B', {}))
  assert.ok(withPeer('site-b', { dialect: 'klingon' }))
  assert.equal(withPeer('site-b', { dialect: 'java', laterMethods: ['pause'] }), undefined)
  assert.ok(withPeer('site-b', { laterMethods: ['explode'] }))
})
