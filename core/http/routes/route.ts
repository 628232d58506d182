import type { Operations, RequestContext } from '../../operations/index.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** JSON Schema as it appears in the OpenAPI document; one with a `title` becomes a component of that name. */
export type ApiSchema = { readonly [keyword: string]: unknown }

/** What a route is given of one request. */
export interface Call {
  context: RequestContext
  /** Decoded values of the path's placeholders. */
  params: Readonly<Record<string, string>>
  /** Parsed JSON, `{}` when there was no body; only of routes that declare `request`. */
  body: unknown
  /** Checked against `query`; only of routes that declare it. */
  query: Readonly<Record<string, unknown>>
  /** As it came, for routes whose parameters others choose. */
  queryText: string
}

/** An answer that only its route can know, such as a redirect. */
export interface Reply {
  status: number
  headers?: Readonly<Record<string, string>>
  /** Value of `Set-Cookie`. */
  cookie?: string
  contentType?: string
  body?: string
}

/** One path and method of the API, as data: router, OpenAPI document, tests and reference page all read it. */
export interface Route {
  method: Method
  /** With placeholders, such as `/ras/computes/{id}`. */
  path: string
  /** Unique name, such as `createCompute`. */
  id: string
  summary: string
  tag: string
  needsToken: boolean
  /** The only status with which this route answers when nothing is wrong; an error where a path is there to refuse. */
  status: number
  /** Absent: the body is not read. */
  request?: ApiSchema
  /** Names and schemas of query parameters; others are refused. Absent: the query is ignored. */
  query?: { readonly properties: Readonly<Record<string, ApiSchema>> }
  /** Absent: the answer is empty. */
  response?: ApiSchema
  /** `run` answers text of this type instead of JSON. */
  contentType?: string
  /** Headers of the answer beside the usual ones. */
  headers?: Readonly<Record<string, string>>
  /** `run` answers a `Reply`. */
  replies?: boolean
  /** `run` answers a `Page`: its items become the body, the rest `Link` and `ETag`. */
  paged?: boolean
  run(operations: Operations, call: Call): unknown
}

/** Value of a placeholder that the route's own path declares. */
export function param(call: Call, name: string): string {
  return call.params[name] ?? ''
}
