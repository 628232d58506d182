import { FogbowError } from '@fogbow/plugin-sdk'
import type { HttpMetrics } from '../middleware/trace.ts'
import { createOpenApiDocument } from '../openapi/document.ts'
import { renderFrontPage } from '../pages/front-page.ts'
import { pageHeaders, readPageFile } from '../pages/page-files.ts'
import { routes } from './index.ts'
import type { Route } from './route.ts'

export interface Readiness {
  ready: boolean
  /** What is missing, in words for an administrator. */
  reasons: readonly string[]
}

export interface SiteRouteDependencies {
  isReady(): Readiness
  metrics: Pick<HttpMetrics, 'text'> | undefined
}

type Text = Pick<Route, 'path' | 'id' | 'summary' | 'run'> & { contentType: string }

function textRoute(route: Text, headers?: Route['headers']): Route {
  const about = { method: 'GET', tag: 'site', needsToken: false, status: 200 } as const
  return { ...about, ...route, ...(headers && { headers }) }
}

/** What belongs to the site instead of the API: health, metrics, reference, front page. */
export function siteRoutes({ isReady, metrics }: SiteRouteDependencies): Route[] {
  return [...healthRoutes(isReady), ...metricsRoutes(metrics), ...pageRoutes()]
}

function healthRoutes(isReady: () => Readiness): Route[] {
  const contentType = 'application/json; charset=utf-8'
  return [
    textRoute({
      path: '/healthz',
      id: 'isAlive',
      summary: 'Answers while the process is alive',
      contentType,
      run: () => '{"status":"alive"}',
    }),
    textRoute({
      path: '/readyz',
      id: 'isReady',
      summary:
        'Answers 200 when the site can take orders, with what ails it; else 503 with reasons',
      contentType,
      run: () => {
        const { ready, reasons } = isReady()
        if (ready)
          return JSON.stringify({ status: 'ready', ...(reasons.length > 0 && { reasons }) })
        throw new FogbowError('unavailable_provider', `Not ready: ${reasons.join('; ')}`)
      },
    }),
  ]
}

function metricsRoutes(metrics: Pick<HttpMetrics, 'text'> | undefined): Route[] {
  if (!metrics) return []
  return [
    textRoute({
      path: '/metrics',
      id: 'metrics',
      summary: 'Metrics in the text format of Prometheus',
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      run: () => metrics.text(),
    }),
  ]
}

function pageRoutes(): Route[] {
  let document: string | undefined
  const file = (path: string, name: string, contentType: string) => {
    const text = readPageFile(name)
    return textRoute(
      { path, id: name, summary: name, contentType, run: () => text },
      pageHeaders(contentType),
    )
  }
  const html = 'text/html; charset=utf-8'
  return [
    textRoute(
      {
        path: '/',
        id: 'frontPage',
        summary: 'Shows the site to people',
        contentType: html,
        run: (operations) => renderFrontPage(operations.site()),
      },
      pageHeaders(html),
    ),
    textRoute(
      {
        path: '/site.json',
        id: 'site',
        summary: 'Shows the site to programs, with what the front page has',
        contentType: 'application/json; charset=utf-8',
        run: (operations) => JSON.stringify(operations.site()),
      },
      { 'Cache-Control': 'no-cache' },
    ),
    textRoute(
      {
        path: '/openapi.json',
        id: 'openApi',
        summary: 'This API as an OpenAPI 3.1 document',
        contentType: 'application/json; charset=utf-8',
        run: (operations) => {
          document ??= JSON.stringify(createOpenApiDocument(routes, operations.site()))
          return document
        },
      },
      { 'Cache-Control': 'no-cache' },
    ),
    file('/docs', 'docs.html', html),
    file('/docs/docs.js', 'docs.js', 'text/javascript; charset=utf-8'),
    file('/docs/docs.css', 'docs.css', 'text/css; charset=utf-8'),
    file('/pages/page.css', 'page.css', 'text/css; charset=utf-8'),
  ]
}
