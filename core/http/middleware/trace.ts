import type { Logger } from 'pino'
import { requestIdOf } from '../request/request-context.ts'
import { answerError } from './error-answer.ts'
import type { HttpMiddleware } from './state.ts'

/** What the edge tells the site's metrics. */
export interface HttpMetrics {
  /** @param route - path template, `none` when no route matched */
  observe(route: string, method: string, status: number, ms: number): void
  /** All metrics of the site in the text format of Prometheus. */
  text(): Promise<string> | string
}

/** Routes that machines poll; their lines would bury the others. */
const quiet = new Set(['/healthz', '/readyz', '/metrics'])

/** Outermost: gives each request its id, turns errors into answers, and leaves one line in the log. */
export function trace(log: Logger, metrics?: Pick<HttpMetrics, 'observe'>): HttpMiddleware {
  return async (context, next) => {
    const startedAt = performance.now()
    const requestId = requestIdOf(context.req)
    context.state.requestId = requestId
    context.set('X-Request-Id', requestId)
    try {
      await next()
    } catch (error) {
      answerError(context, error, log)
    }
    const { method, status } = context
    const route = context.state.route ?? 'none'
    const ms = performance.now() - startedAt
    metrics?.observe(route, method, status, ms)
    const level = quiet.has(route) ? 'debug' : 'info'
    log[level]({ requestId, method, route, status, ms: Math.round(ms * 100) / 100 }, 'request')
  }
}
