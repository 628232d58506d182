import type { RequestListener } from 'node:http'
import type { Clock } from '@fogbow/plugin-sdk'
import Koa from 'koa'
import type { Logger } from 'pino'
import type { Operations } from '../operations/index.ts'
import type { HttpConfig } from './http-config.ts'
import { createAdmission } from './limits/admission.ts'
import { cors } from './middleware/cors.ts'
import { dispatch } from './middleware/dispatch.ts'
import { safeHeaders } from './middleware/safe-headers.ts'
import type { RequestState } from './middleware/state.ts'
import { type HttpMetrics, trace } from './middleware/trace.ts'
import { browserCookie } from './request/browser-cookie.ts'
import { createRouter } from './router.ts'
import { routes } from './routes/index.ts'
import { loginPageRoutes } from './routes/login-page-routes.ts'
import { type Readiness, siteRoutes } from './routes/site-routes.ts'
import { createHttpServer, type HttpServer } from './server.ts'

export interface HttpEdgeDependencies {
  operations: Operations
  config: HttpConfig
  log: Logger
  clock: Pick<Clock, 'now'>
  isReady(): Readiness
  metrics?: HttpMetrics
}

export interface HttpEdge extends HttpServer {
  /** For mounting in a server of somebody else's. */
  handler: RequestListener
}

const CLOSE_TIMEOUT_MS = 10_000

/** The HTTP side of a site: REST API, reference, front page. It knows operations, and neither orders nor clouds. */
export function createHttpEdge(dependencies: HttpEdgeDependencies): HttpEdge {
  const { operations, config, log, clock, metrics, isReady } = dependencies
  const place = createPlace(config.publicUrl)
  const router = createRouter([
    ...routes,
    ...siteRoutes({ isReady, metrics }),
    ...loginPageRoutes(place),
  ])
  const app = new Koa<RequestState>({ proxy: config.trustProxy, maxIpsCount: 1 })
  app.use(trace(log, metrics))
  app.use(safeHeaders)
  app.use(cors(config.corsOrigins, router))
  app.use(
    dispatch({
      router,
      operations,
      admission: createAdmission(config, clock),
      bodyLimitBytes: config.bodyLimitBytes,
      requester: operations.site().id,
      cookie: place.cookie,
    }),
  )
  app.on('error', (error) => log.warn({ err: error }, 'answer could not be sent'))
  const handler: RequestListener = app.callback()
  const server = createHttpServer(handler, config.closeTimeoutMs ?? CLOSE_TIMEOUT_MS)
  return {
    handler,
    close: server.close,
    async listen(port, host) {
      const listening = await server.listen(port, host)
      place.listensAt(listening.url)
      return listening
    },
  }
}

/** Where browsers find the site: what the administrator says, else where it listens, which is known only then. */
function createPlace(configured: string | undefined) {
  let url = configured
  return {
    publicUrl: () => url ?? '',
    cookie: () => browserCookie(url ?? ''),
    listensAt(address: string) {
      url ??= address
    },
  }
}
