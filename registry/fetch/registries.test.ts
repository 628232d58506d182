import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPackageRegistries } from './registries.ts'

const internal = { url: 'https://npm.corp.example/repo', scopes: ['@corp'], token: 'secret' }

test('a scope is given to one registry, everything else to the default one', () => {
  const registries = createPackageRegistries({ registry: 'https://all.example/' }, { internal })
  assert.equal(registries.nameFor('@corp/cloud'), 'internal')
  assert.equal(registries.nameFor('@corporate/cloud'), 'npm')
  assert.equal(registries.nameFor('corp'), 'npm')
  assert.deepEqual(registries.options(), {
    registry: 'https://all.example/',
    '@corp:registry': 'https://npm.corp.example/repo',
    '//npm.corp.example/repo/:_authToken': 'secret',
  })
})

test('a package that has to come from one registry is asked for nowhere else, whatever its scope says', () => {
  const registries = createPackageRegistries({ registry: 'https://all.example/' }, { internal })
  const elsewhere = registries.options({ packageName: '@corp/cloud', registry: 'npm' })
  assert.equal(elsewhere['@corp:registry'], undefined)
  assert.equal(elsewhere.registry, 'https://all.example/')
  const inside = registries.options({ packageName: 'cloud', registry: 'internal' })
  assert.equal(inside.registry, 'https://npm.corp.example/repo')
  assert.throws(() => registries.options({ packageName: 'cloud', registry: 'other' }), {
    code: 'invalid_parameter',
    message: "registry: 'other' is not configured; there is npm, internal",
  })
})

test('the first registry without scopes is the default one, under its own name', () => {
  const mirror = { url: 'https://mirror.example/' }
  const registries = createPackageRegistries({}, { internal, mirror })
  assert.equal(registries.nameFor('cloud'), 'mirror')
  assert.equal(registries.options().registry, 'https://mirror.example/')
  assert.equal(registries.has('npm'), false)
})
