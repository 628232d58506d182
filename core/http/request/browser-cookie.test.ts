import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browserCookie, randomBrowserSecret } from './browser-cookie.ts'

const secret = randomBrowserSecret()

test('with TLS the cookie is one that no other host of the domain can set', () => {
  const cookie = browserCookie('https://site.example')
  assert.equal(
    cookie.write(secret),
    `__Host-fogbow-browser=${secret}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure`,
  )
  assert.equal(cookie.read(`__Host-fogbow-browser=${secret}`), secret)
  assert.equal(cookie.read(`fogbow-browser=${secret}`), undefined)
  assert.equal(cookie.read(`x__Host-fogbow-browser=${secret}`), undefined)
})

test('it is found among others, and nothing else is taken for it', () => {
  const cookie = browserCookie('http://localhost:8080')
  assert.equal(cookie.read(`a=b; fogbow-browser=${secret}; c=d`), secret)
  assert.equal(cookie.read(cookie.write(secret)), secret)
  for (const header of [undefined, '', 'fogbow-browser=', 'fogbow-browser=short', `${secret}`])
    assert.equal(cookie.read(header), undefined)
  assert.equal(cookie.read(`fogbow-browser=${secret}x`), undefined)
})

test('no two browsers get the same secret', () => {
  assert.notEqual(randomBrowserSecret(), randomBrowserSecret())
  assert.match(secret, /^[\w-]{43}$/)
})
