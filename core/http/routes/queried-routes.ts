import { type QueriedKind, resources } from '@fogbow/plugin-sdk'
import type { Operations, RequestContext } from '../../operations/index.ts'
import { type ApiSchema, type Call, param, type Route } from './route.ts'
import { listOf, object, placedView, queriedView, summaryView, titleOf } from './views.ts'

const listings = {
  image: { list: 'listImages', get: 'getImage' },
  spec: { list: 'listSpecs', get: 'getSpec' },
} as const

type Place = readonly [context: RequestContext, provider: string, cloud: string]

function place(call: Call): Place {
  return [call.context, param(call, 'provider'), param(call, 'cloud')]
}

/** Routes of what is read from a cloud or a provider, never created. */
export function queriedRoutes(base: string): Route[] {
  return [
    ...catalogueRoutes(base, resources.image, listings.image),
    ...catalogueRoutes(base, resources.spec, listings.spec),
    ...quotaRoutes(base),
    ...cloudRoutes(base),
  ]
}

function catalogueRoutes(
  base: string,
  kind: QueriedKind,
  operation: (typeof listings)[keyof typeof listings],
): Route[] {
  const path = `${base}/${kind.path}/{provider}/{cloud}`
  const about = { method: 'GET', tag: `${base} ${kind.path}`, needsToken: true } as const
  return [
    {
      ...about,
      path,
      id: `list${titleOf(kind)}s`,
      summary: `Lists the ${kind.path} of a cloud`,
      status: 200,
      response: listOf(summaryView(kind)),
      run: (operations, call) => operations[operation.list](...place(call)),
    },
    {
      ...about,
      path: `${path}/{id}`,
      id: `get${titleOf(kind)}`,
      summary: `Shows one of the ${kind.path} of a cloud`,
      status: 200,
      response: placedView(kind),
      run: (operations, call) => operations[operation.get](...place(call), param(call, 'id')),
    },
  ]
}

/** Older names of amounts, which the web GUI's quota table reads. */
const amountAliases = { storages: 'storage', fips: 'publicIps' } as const

function quotaView(): ApiSchema {
  const { properties, required } = queriedView(resources.quota) as {
    properties: Record<string, ApiSchema>
    required: string[]
  }
  const amounts = properties.totalQuota as { properties: Record<string, ApiSchema> }
  const aliases = Object.entries(amountAliases).map(([alias, name]) => [
    alias,
    { ...amounts.properties[name], description: `Same as \`${name}\`` },
  ])
  const shown = object('QuotaAmounts', { ...amounts.properties, ...Object.fromEntries(aliases) })
  return object('Quota', {
    ...Object.fromEntries(required.map((name) => [name, shown])),
    availableQuota: shown,
  })
}

/** Under its own path, and under `computes` where older clients look for it. */
function quotaRoutes(base: string): Route[] {
  const response = quotaView()
  const run = async (operations: Operations, call: Call) => {
    const answer = await operations.getQuota(...place(call))
    return Object.fromEntries(
      Object.entries(answer).map(([name, amounts]) => [name, withAmountAliases(amounts)]),
    )
  }
  const { quota, compute } = resources
  return [quota.path, `${compute.path}/${quota.path}`].map((path, index) => ({
    method: 'GET',
    path: `${base}/${path}/{provider}/{cloud}`,
    id: index === 0 ? 'getQuota' : 'getQuotaOfOlderClients',
    summary: `${quota.description}${index === 0 ? '' : ' (older path)'}`,
    tag: `${base} ${quota.path}`,
    needsToken: true,
    status: 200,
    response,
    run,
  }))
}

function withAmountAliases(amounts: Record<string, number>): Record<string, number> {
  const shown = { ...amounts }
  for (const [alias, name] of Object.entries(amountAliases)) shown[alias] = amounts[name] ?? -1
  return shown
}

function cloudRoutes(base: string): Route[] {
  const { cloud } = resources
  const about = {
    method: 'GET',
    tag: `${base} ${cloud.path}`,
    needsToken: true,
    status: 200,
    response: queriedView(cloud),
  } as const
  return [
    {
      ...about,
      path: `${base}/${cloud.path}`,
      id: 'listClouds',
      summary: 'Lists the clouds of this site, the default one first',
      run: (operations, { context }) => operations.listClouds(context),
    },
    {
      ...about,
      path: `${base}/${cloud.path}/{provider}`,
      id: 'listCloudsOfProvider',
      summary: 'Lists the clouds of a provider, its default one first',
      run: (operations, call) => operations.listClouds(call.context, param(call, 'provider')),
    },
  ]
}
