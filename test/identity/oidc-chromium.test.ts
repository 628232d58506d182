import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { PHONE, runBrowser, sidewaysScroll, textOf, unreadable } from '../pages/browser.ts'
import { runOidcSite, SOURCE } from './support/oidc-site.ts'

const site = runOidcSite()
const browser = runBrowser()

/** For people who want to see what the tests saw. */
const pictures = process.env.FOGBOW_PICTURES
async function picture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
}

/** Pages of the provider ask for a font of somebody else's, which is not had. */
const isOfProvider = (url: string) => url.startsWith('https://fonts.googleapis.com/')
const ours = (problems: readonly string[]) =>
  problems.filter((text) => !text.includes('fonts.googleapis') && !/ERR_FAILED/.test(text))

const open = (path: string, options = {}) =>
  browser.open(site.url + path, { ...options, others: [site.provider.issuer] })

async function logInAt(page: Page, login: string): Promise<void> {
  await page.getByRole('link', { name: `Log in with ${SOURCE}` }).click()
  await page.fill('input[name=login]', login)
  await page.fill('input[name=password]', 'any')
  await picture(page, '2-provider')
  await page.getByRole('button', { name: 'Sign-in' }).click()
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.locator('#account').waitFor({ state: 'visible' })
}

test('a person logs in at the provider, orders a compute, sees it, and logs out of both', async () => {
  const { page, problems, strangers, close } = await open('/')
  await page.getByRole('link', { name: 'Log in' }).click()
  await picture(page, '1-login')
  await logInAt(page, 'ana')

  assert.equal(await textOf(page.locator('#name')), 'You are Ana Souza')
  const facts = await textOf(page.locator('#facts'))
  assert.match(facts, /user, admin/)
  assert.ok(facts.includes(site.provider.issuer))
  assert.equal(page.url(), `${site.url}/login`, 'the ticket is still in the address')
  assert.match(await textOf(page.locator('#none')), /no computes/)

  await page.getByRole('link', { name: 'API reference' }).click()
  await page.locator('.operation').first().waitFor()
  const token = await page.locator('[name=token]').inputValue()
  assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/)
  const headers = { 'Fogbow-User-Token': token, 'Content-Type': 'application/json' }
  const order = { name: 'made-by-ana', imageId: 'debian-12', vCPU: 1, ram: 512, disk: 3 }
  const made = await fetch(`${site.url}/ras/computes`, {
    method: 'POST',
    headers,
    body: JSON.stringify(order),
  })
  assert.equal(made.status, 201)

  await page.goto(`${site.url}/login`)
  await page.locator('#computes td', { hasText: 'made-by-ana' }).waitFor()
  await untilReady(page)
  await picture(page, '3-computes')

  await page.getByRole('button', { name: 'Log out' }).click()
  await page.waitForURL(`${site.provider.issuer}/**`)
  await picture(page, '4-provider-log-out')
  await page.getByRole('button', { name: /yes/i }).click()
  await page.waitForURL(`${site.url}/login**`)
  await page.locator('#choices').waitFor({ state: 'visible' })
  assert.equal((await fetch(`${site.url}/as/user`, { headers })).status, 401)
  assert.deepEqual(
    strangers.filter((url) => !isOfProvider(url)),
    [],
  )
  assert.deepEqual(ours(problems), [])
  await close()
})

async function untilReady(page: Page): Promise<void> {
  const ready = page.locator('#computes td', { hasText: 'READY' })
  while ((await ready.count()) === 0) {
    await page.getByRole('button', { name: 'Look again' }).click()
    await page.waitForLoadState('networkidle')
  }
}

test('what a provider calls somebody cannot become markup', async () => {
  const { page, problems, close } = await open('/login')
  await logInAt(page, 'bob')
  assert.equal(await textOf(page.locator('#name')), 'You are Bob <script>alert(1)</script>')
  assert.equal(await page.locator('#name script').count(), 0)
  assert.deepEqual(ours(problems), [])
  await close()
})

test('no script of the page can read the cookie', async () => {
  const { page, close } = await open('/login')
  await logInAt(page, 'ana')
  assert.equal(await page.evaluate('document.cookie'), '')
  await close()
})

test('somebody whose login fails reads why, and tries again', async () => {
  const { page, close } = await open('/login')
  site.provider.condition = 'down'
  await page.getByRole('link', { name: `Log in with ${SOURCE}` }).click()
  // What the provider said before is known for an hour: the way to it is found, and it is not there.
  await page.waitForLoadState('load').catch(() => {})
  site.provider.condition = 'up'
  await page.goto(`${site.url}/as/login/${SOURCE}/callback?code=a&state=b`)
  assert.match(await textOf(page.locator('main')), /not logged in[\s\S]*begin again/i)
  await picture(page, '5-error')
  await page.getByRole('link', { name: 'Try again' }).click()
  await page.locator('input[name=login]').waitFor()
  await close()
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`login, account and error are readable on a telephone in ${colorScheme} mode`, async () => {
    const { page, close } = await open('/login', { ...PHONE, colorScheme })
    const check = async (name: string) => {
      assert.equal(await sidewaysScroll(page), 0, name)
      assert.deepEqual(await unreadable(page), [], name)
      await picture(page, `6-${name}-${colorScheme}`)
    }
    await check('login')
    await logInAt(page, 'ana')
    await check('account')
    await page.goto(`${site.url}/as/login/${SOURCE}/callback?code=a&state=b`)
    await check('error')
    await close()
  })
}
