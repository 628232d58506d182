import { join } from 'node:path'
import { after, before } from 'node:test'
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from 'playwright-core'

/** Where Debian's package puts it. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'

const measures = join(import.meta.dirname, 'measures.js')

const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }

/** A page and what it did beside being shown. */
export interface WatchedPage {
  page: Page
  /** Errors of scripts and of the console, and requests that failed. */
  problems: string[]
  /** Requests to anything but the site; they are blocked. */
  strangers: string[]
  close(): Promise<void>
}

export interface PageOptions extends BrowserContextOptions {
  /** Origins beside the site's own that may be visited. */
  others?: readonly string[]
}

export interface RunningBrowser {
  open(url: string, options?: PageOptions): Promise<WatchedPage>
}

/** Starts a browser before the first test of the file and ends it after the last. */
export function runBrowser(): RunningBrowser {
  let browser: Browser
  before(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: quiet })
  })
  after(() => browser?.close())

  return {
    async open(url, { others = [], ...options } = {}) {
      const context = await browser.newContext(options)
      const origins = [new URL(url).origin, ...others]
      const problems: string[] = []
      const strangers: string[] = []
      await context.route('**', (route) => {
        const target = route.request().url()
        if (origins.some((origin) => target.startsWith(`${origin}/`)) || target.startsWith('data:'))
          return route.continue()
        strangers.push(target)
        return route.abort()
      })
      await context.addInitScript({ path: measures })
      const page = await context.newPage()
      page.on('pageerror', (error) => problems.push(String(error)))
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning')
          problems.push(message.text())
      })
      page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`))
      await page.goto(url, { waitUntil: 'networkidle' })
      return { page, problems, strangers, close: () => context.close() }
    },
  }
}

/** How far the page can be scrolled sideways, in CSS pixels. */
export function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate<number>('measures.sidewaysScroll()')
}

/** Texts that are too faint or too small. */
export function unreadable(page: Page): Promise<unknown[]> {
  return page.evaluate<unknown[]>('measures.unreadable()')
}

export function background(page: Page): Promise<string> {
  return page.evaluate<string>('measures.background()')
}

/** All text of a part of the page, whether it is in sight or not. */
export async function textOf(part: Locator): Promise<string> {
  return (await part.textContent()) ?? ''
}
