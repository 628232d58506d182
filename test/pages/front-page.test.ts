import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { plugins, runSite } from '../system/rest/run-site.ts'
import { SiteProcess, siteConfig } from '../system/support/site-process.ts'
import { background, PHONE, runBrowser, sidewaysScroll, textOf, unreadable } from './browser.ts'

const ours = plugins()
const site = runSite({
  config: siteConfig({
    site: {
      plugins: {
        ...ours,
        broken: { package: join(import.meta.dirname, 'no-such-plugin') },
      },
      clouds: {
        emulated: { plugin: 'emulated', mapper: 'account' },
        lost: { plugin: 'broken', mapper: 'account' },
      },
      members: { list: ['site-a.test', 'site-b.test'] },
    },
  }),
})
const browser = runBrowser()

test('the front page shows the site, its clouds and plugins with their health, its members and the way to the reference', async () => {
  const { page, problems, strangers, close } = await browser.open(`${site.process.url}/`)
  assert.match(await page.title(), /site-a\.test/)
  assert.equal(await textOf(page.locator('h1')), 'site-a.test')
  const section = (name: string) =>
    page.locator('section', { has: page.getByRole('heading', { level: 2, name }) })
  const clouds = section('Clouds')
  assert.match(await textOf(clouds.locator('li', { hasText: 'emulated' }).first()), /default/i)
  assert.match(await textOf(clouds), /emulated[\s\S]*ready/i)
  assert.match(await textOf(clouds.locator('li', { hasText: 'lost' })), /broken is quarantined/i)
  const shown = section('Plugins')
  for (const name of Object.keys(ours)) {
    const card = shown.locator('li', { has: page.locator('h3', { hasText: name }) })
    assert.match(await textOf(card.first()), /ready/i, name)
  }
  assert.match(
    await textOf(shown.locator('li', { hasText: 'broken' })),
    /quarantined[\s\S]*no-such-plugin/i,
  )
  assert.match(await textOf(section('Members')), /site-a\.test[\s\S]*this site[\s\S]*site-b\.test/i)
  await page.getByRole('link', { name: 'API reference' }).click()
  await page.waitForURL('**/docs')
  assert.match(await textOf(page.locator('h1')), /API reference/)
  assert.deepEqual({ problems, strangers }, { problems: [], strangers: [] })
  await close()
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the front page is readable on a telephone in ${colorScheme} mode, without scrolling sideways`, async () => {
    const { page, problems, close } = await browser.open(`${site.process.url}/`, {
      ...PHONE,
      colorScheme,
    })
    assert.equal(await sidewaysScroll(page), 0)
    assert.deepEqual(await unreadable(page), [])
    assert.deepEqual(problems, [])
    await close()
  })
}

test('the front page looks different in light and in dark mode', async () => {
  const backgrounds: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, close } = await browser.open(`${site.process.url}/`, { colorScheme })
    backgrounds.push(await background(page))
    await close()
  }
  assert.notEqual(backgrounds[0], backgrounds[1])
})

test('the front page works without script and says nothing that only users may know', async () => {
  const { page, close } = await browser.open(`${site.process.url}/`, { javaScriptEnabled: false })
  const text = await textOf(page.locator('body'))
  assert.match(text, /site-a\.test/)
  assert.ok(!text.includes(site.process.folder), 'the folder of the site is shown')
  await close()
})

test('the pages may not be framed and load nothing from anywhere else', async () => {
  for (const path of ['/', '/docs']) {
    const { headers } = await fetch(site.process.url + path)
    const policy = headers.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /unsafe|https?:/)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
  }
})

test('what a configuration names cannot become markup on the front page', async () => {
  const member = '<img src=x onerror=alert(1)>'
  const config = siteConfig({ site: { members: { list: [member] } } })
  const other = await SiteProcess.start({ config })
  try {
    const { page, problems, strangers, close } = await browser.open(`${other.url}/`)
    assert.equal(await page.locator('img').count(), 0)
    assert.ok((await textOf(page.locator('body'))).includes(member))
    assert.deepEqual({ problems, strangers }, { problems: [], strangers: [] })
    await close()
  } finally {
    await other.stop()
  }
})
