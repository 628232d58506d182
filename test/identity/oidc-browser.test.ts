import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runOidcSite, SOURCE } from './support/oidc-site.ts'
import { Visitor } from './support/visitor.ts'

const site = runOidcSite()

const begin = () => `${site.url}/as/login/${SOURCE}`
const ana = { login: 'ana', password: 'any' }
const isCallback = (url: string) => url.startsWith(`${site.url}/as/login/${SOURCE}/callback`)

/** Follows the way until the site is about to be visited again. */
async function untilCallback(visitor: Visitor): Promise<string> {
  return (await visitor.visit(begin(), ana, isCallback)).url
}

test('x', async () => {
  const v = new Visitor()
  const cb = await untilCallback(v)
  const r = await v.request(cb)
  assert.equal(r.status, 303, await r.text())
  console.log(r.headers.get('location'))
})
