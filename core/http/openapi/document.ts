import { errorCatalogue } from '@fogbow/plugin-sdk'
import type { ApiSchema, Route } from '../routes/route.ts'
import { errorView } from '../routes/views.ts'
import { exampleOf, exampleRequestOf } from './example.ts'

/** An OpenAPI 3.1 document, ready to be sent as JSON. */
export interface OpenApiDocument {
  openapi: string
  info: { title: string; version: string; description: string }
  tags: { name: string }[]
  paths: Record<string, Record<string, unknown>>
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> }
}

const description = `The REST interface of a Fogbow site. Log in with \`POST /as/tokens\`, send the token in the header
\`Fogbow-User-Token\`, order with \`POST\`, and ask for the state with \`GET\` until it is \`READY\`.

Reading is lenient: numbers may come as text, unknown fields are ignored, and slashes may be doubled or trail.
Every \`POST\` with a token may carry an \`Idempotency-Key\`; repeating it gives the first answer again. Lists take \`limit\` and
answer a \`Link\` to the next page. Every answer has an \`X-Request-Id\`.`

const placeholders: Readonly<Record<string, string>> = {
  id: 'Order id; of an image or a spec, its id in the cloud',
  provider: 'Member of the federation',
  cloud: 'Name of a cloud of that member',
  userId: 'Id of a user',
  providerId: "Id of the user's identity provider",
  ruleId: 'Id of the rule within the cloud',
  name: 'Name of a plugin in the configuration',
  source: 'Identity provider, as `GET /as/login` names it',
}

/** Describes routes as the OpenAPI Specification 3.1 has it, from the same declarations that the router reads. */
export function createOpenApiDocument(
  routes: readonly Route[],
  site: { id: string; version: string },
): OpenApiDocument {
  const schemas: Record<string, unknown> = {}
  const named = (schema: ApiSchema) => hoist(schema, schemas)
  named(errorView)
  const paths: OpenApiDocument['paths'] = {}
  for (const route of routes) {
    const path = paths[route.path] ?? {}
    path[route.method.toLowerCase()] = describeRoute(route, named)
    paths[route.path] = path
  }
  return {
    openapi: '3.1.0',
    info: { title: `Fogbow at ${site.id}`, version: site.version, description },
    tags: [...new Set(routes.map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: { schemas, securitySchemes: { token: tokenScheme } },
  }
}

const tokenScheme = {
  type: 'apiKey',
  in: 'header',
  name: 'Fogbow-User-Token',
  description: 'Answer of `POST /as/tokens`',
}

type Named = (schema: ApiSchema) => ApiSchema

function describeRoute(route: Route, named: Named): Record<string, unknown> {
  return {
    operationId: route.id,
    summary: route.summary,
    tags: [route.tag],
    security: route.needsToken ? [{ token: [] }] : [],
    parameters: parametersOf(route),
    ...(route.request && {
      requestBody: { content: jsonContent(route.request, exampleRequestOf(route.request), named) },
    }),
    responses: { ...errorResponses(route), [route.status]: successOf(route, named) },
  }
}

function parametersOf(route: Route): unknown[] {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: placeholders[name] ?? name,
    schema: { type: 'string' },
  }))
  const inQuery = Object.entries(route.query?.properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    ...(typeof schema.description === 'string' && { description: schema.description }),
    schema,
    ...(schema.type === 'array' && { style: 'form', explode: false }),
  }))
  return [...inPath, ...inQuery, ...(isKeyed(route) ? [idempotencyKey] : [])]
}

/** Keys belong to users, so that what needs no token takes none; logging in twice does no harm. */
function isKeyed(route: Route): boolean {
  return route.method === 'POST' && route.needsToken
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'The same request with the same key is done once',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
}

function successOf(route: Route, named: Named): Record<string, unknown> {
  const description = route.status < 400 ? route.summary : 'Always refused'
  if (!route.response) return { description: `${description}; the body is empty` }
  return {
    description,
    ...(route.paged && { headers: pageHeaders }),
    content: jsonContent(route.response, exampleOf(route.response), named),
  }
}

const pageHeaders = {
  ETag: {
    description: 'Changes with the list; send it as `If-None-Match`, and 304 says it did not',
    schema: { type: 'string' },
  },
  Link: { description: 'The next page, as `rel="next"`', schema: { type: 'string' } },
}

function jsonContent(schema: ApiSchema, example: unknown, named: Named): Record<string, unknown> {
  return { 'application/json': { schema: named(schema), example } }
}

/** Statuses that this route can answer with, each with the meanings of the catalogue. */
function errorResponses(route: Route): Record<string, unknown> {
  const meanings = new Map<number, string[]>()
  for (const { status, meaning } of Object.values(errorCatalogue)) {
    if (isPossible(route, status)) meanings.set(status, [...(meanings.get(status) ?? []), meaning])
  }
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } }
  const responses = Object.fromEntries(
    [...meanings].map(([status, texts]) => [status, { description: texts.join(' '), content }]),
  )
  const notModified = { 304: { description: 'The list is as the `If-None-Match` of the request' } }
  return { ...responses, ...(route.paged && notModified) }
}

function isPossible(route: Route, status: number): boolean {
  if (status === 405) return false
  if (status === 413 || status === 415) return route.request !== undefined
  if (status === 422) return isKeyed(route)
  if (status === 401) return route.needsToken || route.method === 'POST'
  return true
}

/** Puts a schema with a title among the components, once, and answers a reference to it. */
function hoist(schema: ApiSchema, schemas: Record<string, unknown>): ApiSchema {
  const { title } = schema
  const inner = hoistInner(schema, schemas)
  if (typeof title !== 'string') return inner
  schemas[title] ??= inner
  return { $ref: `#/components/schemas/${title}` }
}

function hoistInner(schema: ApiSchema, schemas: Record<string, unknown>): ApiSchema {
  const each = (value: unknown) => hoist(value as ApiSchema, schemas)
  const properties = schema.properties && {
    properties: Object.fromEntries(
      Object.entries(schema.properties as Record<string, unknown>).map(([name, property]) => [
        name,
        each(property),
      ]),
    ),
  }
  return {
    ...schema,
    ...(properties as object | undefined),
    ...(schema.items !== undefined && { items: each(schema.items) }),
    ...(Array.isArray(schema.anyOf) && { anyOf: schema.anyOf.map(each) }),
  }
}
