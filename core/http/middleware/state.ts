import type { Context, Middleware, ParameterizedContext } from 'koa'

/** What the middleware functions tell each other of one request. */
export interface RequestState {
  requestId: string
  /** Path template of the route that matched; of no user's ids. */
  route?: string
}

export type HttpMiddleware = Middleware<RequestState>
export type HttpContext = ParameterizedContext<RequestState, Context>
