import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sourceProblem } from './identity-sources.ts'

const plugins = { tokenGenerator: 'a', federationIdentity: 'a', authentication: 'a' }
const source = (identityProviderId: string, more: object = {}) => ({
  ...plugins,
  identityProviderId,
  domains: [],
  opaqueTokens: false,
  ...more,
})

function problem(aaa: object): string {
  const config = { site: { id: 'site-a' }, members: { list: ['site-a', 'site-b'] }, aaa }
  const found = sourceProblem(config as unknown as Parameters<typeof sourceProblem>[0])
  return found ? `${found.key} ${found.message}` : ''
}

test('one source needs no name, several are named, and the two ways exclude each other', () => {
  assert.equal(problem(plugins), '')
  assert.equal(problem({ sources: { one: source('site-a'), two: source('staff') } }), '')
  assert.match(problem({}), /^aaa\.tokenGenerator is required, unless there are aaa\.sources/)
  assert.match(
    problem({ ...plugins, sources: { one: source('x') } }),
    /^aaa\.tokenGenerator and aaa\.sources exclude each other/,
  )
})

test('no two sources share a user, a domain, an issuer or tokens without one', () => {
  const both = (one: object, two: object) =>
    problem({ sources: { one: source('x', one), two: source('y', two) } })
  assert.match(
    problem({ sources: { one: source('x'), two: source('x') } }),
    /^aaa\.sources\.two\.identityProviderId 'x' is that of source 'one' already/,
  )
  assert.match(
    both({ domains: ['Lab'] }, { domains: ['LAB'] }),
    /^aaa\.sources\.two\.domains 'lab'/,
  )
  assert.match(both({ domains: ['TWO'] }, {}), /^aaa\.sources\.two\.domains 'two'/)
  assert.match(both({ issuers: ['i'] }, { issuers: ['i'] }), /^aaa\.sources\.two\.issuers 'i'/)
  assert.match(
    both({ opaqueTokens: true }, { opaqueTokens: true }),
    /^aaa\.sources\.two\.opaqueTokens/,
  )
})

test('no source speaks for the users of another member', () => {
  assert.match(
    problem({ sources: { one: source('site-a'), two: source('site-b') } }),
    /^aaa\.sources\.two\.identityProviderId 'site-b' is another member/,
  )
})
