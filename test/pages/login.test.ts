import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSite } from '../system/rest/run-site.ts'
import { ADMIN_PASSWORD } from '../system/support/site-process.ts'
import { runBrowser, textOf } from './browser.ts'

const site = runSite()
const browser = runBrowser()

async function logIn(password: string) {
  const watched = await browser.open(`${site.process.url}/login`)
  await watched.page.fill('[name=username]', 'admin')
  await watched.page.fill('[name=password]', password)
  await watched.page.getByRole('button', { name: 'Log in' }).click()
  return watched
}

test('at a site with passwords people log in on its page, see who they are, and log out', async () => {
  const { page, problems, strangers, close } = await logIn(ADMIN_PASSWORD)
  await page.locator('#account').waitFor({ state: 'visible' })
  assert.equal(await textOf(page.locator('#name')), 'You are admin')
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.locator('#choices').waitFor({ state: 'visible' })
  assert.equal(await page.evaluate('sessionStorage.length'), 0)
  assert.deepEqual({ problems, strangers }, { problems: [], strangers: [] })
  await close()
})

test('a wrong password is answered in words, and leaves nobody logged in', async () => {
  const { page, close } = await logIn('wrong')
  await page.locator('#notice').waitFor({ state: 'visible' })
  assert.match(await textOf(page.locator('#notice')), /wrong/)
  assert.equal(await page.locator('#account').isVisible(), false)
  assert.equal(await page.locator('[name=password]').inputValue(), '')
  await close()
})

test('a token that has ended leads back to the choices', async () => {
  const { page, close } = await browser.open(`${site.process.url}/login`)
  await page.evaluate("sessionStorage.setItem('fogbow-token', 'over')")
  await page.reload({ waitUntil: 'networkidle' })
  assert.match(await textOf(page.locator('#notice')), /log in again/i)
  assert.equal(await page.locator('#choices').isVisible(), true)
  assert.equal(await page.evaluate("sessionStorage.getItem('fogbow-token')"), null)
  await close()
})
