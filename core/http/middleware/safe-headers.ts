import type { HttpMiddleware } from './state.ts'

/**
 * Answers are data: never to be taken for something else by a browser, and not to be kept. Pages and lists loosen what
 * they must; pages bring a content security policy of their own.
 */
export const safeHeaders: HttpMiddleware = (context, next) => {
  context.res.setHeader('Cache-Control', 'no-store')
  context.res.setHeader('X-Content-Type-Options', 'nosniff')
  return next()
}
