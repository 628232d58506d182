import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { clear, runSite } from '../system/rest/run-site.ts'
import { ADMIN_PASSWORD } from '../system/support/site-process.ts'
import { PHONE, runBrowser, sidewaysScroll, textOf, unreadable } from './browser.ts'

const site = runSite()
const browser = runBrowser()

const docs = (options = {}) => browser.open(`${site.process.url}/docs`, options)

async function logIn(page: Page, password = ADMIN_PASSWORD): Promise<void> {
  await page.getByLabel('User name').fill('admin')
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
}

/** Opens an operation; answers its part of the page. */
async function operation(page: Page, id: string): Promise<Locator> {
  const entry = page.locator(`details[id="${id}"]`)
  await entry.locator('summary').click()
  return entry
}

/** Sends the form of an operation; answers the text of its result once it is there. */
async function send(entry: Locator): Promise<string> {
  const [response] = await Promise.all([
    entry.page().waitForResponse((each) => !each.url().endsWith('/openapi.json')),
    entry.getByRole('button', { name: /^Send / }).click(),
  ])
  await response.finished()
  const result = entry.locator('pre.result')
  await result.filter({ hasText: /^\d{3} / }).waitFor()
  return textOf(result)
}

test('the reference lists every operation of the document without a request to anywhere else', async () => {
  const { page, problems, strangers, close } = await docs()
  const document = (await (await fetch(`${site.process.url}/openapi.json`)).json()) as {
    paths: Record<string, object>
  }
  const count = Object.values(document.paths).flatMap((methods) => Object.keys(methods)).length
  assert.equal(await page.locator('details.operation').count(), count)
  assert.match(await page.title(), /site-a\.test/)
  assert.deepEqual({ problems, strangers }, { problems: [], strangers: [] })
  await close()
})

test('logging in and trying it makes a real order and shows the real answers', async () => {
  const { page, problems, close } = await docs()
  await logIn(page)
  await page.getByText('Logged in as admin').waitFor()
  const create = await operation(page, 'createVolume')
  await create.locator('textarea').fill('{"name": "from the page", "size": 3}')
  const created = await send(create)
  assert.match(created, /^201 /)
  const { id } = JSON.parse(created.slice(created.indexOf('{'))) as { id: string }

  await site.admin.until(`/ras/volumes/${id}`, 'READY')
  const get = await operation(page, 'getVolume')
  await get.locator('input[name=id]').fill(id)
  const shown = await send(get)
  assert.match(shown, /^200 /)
  assert.match(shown, /"name": "from the page"/)

  const list = await operation(page, 'listVolumes')
  await list.locator('input[name=limit]').fill('1')
  assert.match(await send(list), /^200 [\s\S]*from the page/)
  assert.deepEqual(problems, [])
  await close()
  await clear(site.admin)
})

test('the example body of an order works as it is', async () => {
  const { page, close } = await docs()
  await logIn(page)
  await page.getByText('Logged in as admin').waitFor()
  for (const id of ['createCompute', 'createVolume', 'createNetwork']) {
    assert.match(await send(await operation(page, id)), /^201 /, id)
  }
  await close()
  await clear(site.admin)
})

test('a wrong password is told, and a call without a token shows the 401 of the site', async () => {
  const { page, close } = await docs()
  await logIn(page, 'not the password')
  await page.locator('#log-in-result').filter({ hasText: /wrong/ }).waitFor()
  assert.match(await send(await operation(page, 'listClouds')), /^401 [\s\S]*unauthenticated/)
  await close()
})

test('a filter leaves the operations that fit its words', async () => {
  const { page, close } = await docs()
  await page.getByLabel('Filter').fill('post snapshot')
  const shown = page.locator('details.operation:visible')
  assert.deepEqual(await shown.evaluateAll((all) => all.map(({ id }) => id).sort()), [
    'fnsSnapshotCompute',
    'snapshotCompute',
  ])
  await page.getByLabel('Filter').fill('')
  assert.ok((await page.locator('details.operation:visible').count()) > 80)
  await close()
})

test('an operation can be linked to, and the keyboard opens it', async () => {
  const { page, close } = await browser.open(`${site.process.url}/docs#createCompute`)
  const linked = page.locator('details[id="createCompute"]')
  assert.ok(await linked.getByRole('button', { name: 'Send POST' }).isVisible())
  const other = page.locator('details[id="createVolume"]')
  await other.locator('summary').focus()
  await page.keyboard.press('Enter')
  await other.getByRole('button', { name: 'Send POST' }).waitFor()
  await close()
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the reference is readable on a telephone in ${colorScheme} mode, without scrolling sideways`, async () => {
    const { page, problems, close } = await docs({ ...PHONE, colorScheme })
    assert.equal(await sidewaysScroll(page), 0)
    for (const id of ['createCompute', 'listComputes', 'getQuota', 'createToken'])
      await operation(page, id)
    await page.getByRole('button', { name: 'Send POST' }).first().waitFor()
    assert.equal(await sidewaysScroll(page), 0)
    assert.deepEqual(await unreadable(page), [])
    assert.deepEqual(problems, [])
    await close()
  })
}
