import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPackagePattern } from './package-pattern.ts'
import { readPolicy } from './policy.ts'
import { createSigningKey } from './signing-key.ts'

const { text: key } = createSigningKey()

test('an absent policy is complete', () => {
  const policy = readPolicy(undefined)
  assert.deepEqual(
    [policy.allow, policy.deny, policy.minimumTrust, policy.minimumAgeHours, policy.publishers],
    [undefined, [], 'local', 24, []],
  )
})

test('what was written is not changed by completing it', () => {
  const written = Object.freeze({ deny: ['bad'] })
  assert.equal(readPolicy(written).deny[0]?.text, 'bad')
  assert.deepEqual(written, { deny: ['bad'] })
})

const mistakes: [string, unknown, RegExp][] = [
  ['an unknown key', { alow: ['x'] }, /^FogbowError: marketplace\.policy\.alow/],
  [
    'a name with a space',
    { allow: ['good', 'my plugin'] },
    /policy\.allow\[1\]: 'my plugin' is none/,
  ],
  ['a range that is none', { deny: ['bad@>>1'] }, /policy\.deny\[0\]: '>>1' is no range/],
  ['an empty range', { deny: ['bad@'] }, /policy\.deny\[0\]: '' is no range/],
  ['an unknown level', { minimumTrust: 'high' }, /policy\.minimumTrust/],
  [
    'a publisher without any proof',
    { publishers: { acme: { packages: ['*'] } } },
    /publishers\.acme: must have keys or provenance/,
  ],
  [
    'a key that is none',
    { publishers: { acme: { packages: ['*'], keys: [key, 'x'] } } },
    /publishers\.acme\.keys\[1\]: Key cannot be used/,
  ],
  [
    'a publisher of nothing',
    { publishers: { acme: { packages: [], keys: [key] } } },
    /publishers\.acme\.packages/,
  ],
]
for (const [what, written, problem] of mistakes) {
  test(`${what} is an error that names its place`, () => {
    assert.throws(() => readPolicy(written), problem)
  })
}

const patterns: [string, string, string, boolean][] = [
  ['*', '@vendor/plugin', '1.0.0', true],
  ['@vendor/*', '@vendor/plugin', '1.0.0', true],
  ['@vendor/*', '@vendorx/plugin', '1.0.0', false],
  ['@vendor/*', 'vendor', '1.0.0', false],
  ['plugin', 'plugin', '9.0.0-beta.1', true],
  ['plugin', '@vendor/plugin', '1.0.0', false],
  ['@vendor/plugin@^1.2.0', '@vendor/plugin', '1.9.0', true],
  ['@vendor/plugin@^1.2.0', '@vendor/plugin', '2.0.0', false],
  ['plugin@1.x || 3', 'plugin', '3.1.0', true],
]
for (const [text, name, version, matches] of patterns) {
  test(`pattern ${text} ${matches ? 'covers' : 'leaves out'} ${name}@${version}`, () => {
    const pattern = readPackagePattern(text)
    assert.ok(typeof pattern !== 'string', String(pattern))
    assert.equal(pattern.matches(name, version), matches)
  })
}
