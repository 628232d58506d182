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

test('a scope that .npmrc gives to a registry comes from nowhere else, unless the configuration says so', () => {
  const npm = { '@company:registry': 'https://company.example/', registry: 'https://all.example/' }
  const byNpmrc = createPackageRegistries(npm)
  assert.deepEqual(byNpmrc.names(), ['npm', '@company'])
  assert.equal(byNpmrc.nameFor('@company/cloud'), '@company')
  const asked = byNpmrc.options({ packageName: '@company/cloud', registry: '@company' })
  assert.equal(asked.registry, 'https://company.example/')
  const named = byNpmrc.options({ packageName: '@company/cloud', registry: 'npm' })
  assert.deepEqual(
    [named.registry, named['@company:registry']],
    ['https://all.example/', undefined],
    'another one only when it is named',
  )
  const own = { url: 'https://own.example/', scopes: ['@company'] }
  const configured = createPackageRegistries(npm, { own })
  assert.equal(configured.nameFor('@company/cloud'), 'own')
  assert.deepEqual(configured.names(), ['own'])
})

test('registries that change are asked for as they are now', () => {
  let url = 'https://a.example/'
  const registries = createPackageRegistries({}, () => ({ main: { url } }))
  const asked = () => registries.options({ packageName: 'x', registry: 'main' }).registry
  assert.equal(asked(), 'https://a.example/')
  url = 'https://b.example/'
  assert.equal(asked(), 'https://b.example/')
})
