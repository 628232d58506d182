import { nestedKinds, orderedKinds } from '@fogbow/plugin-sdk'
import { administrationRoutes } from './administration-routes.ts'
import { authenticationRoutes, serviceRoutes } from './authentication-routes.ts'
import { federatedNetworkRoutes, wrappedComputeRoute } from './federated-network-routes.ts'
import { loginRoutes } from './login-routes.ts'
import { marketplaceRoutes } from './marketplace-routes.ts'
import { membershipRoutes } from './membership-routes.ts'
import { nestedRoutes } from './nested-routes.ts'
import { orderedRoutes } from './ordered-routes.ts'
import { queriedRoutes } from './queried-routes.ts'
import type { Route } from './route.ts'

function resourceRoutes(base: string): Route[] {
  return [
    ...orderedKinds.flatMap((kind) => orderedRoutes(base, kind)),
    ...nestedKinds.flatMap((kind) => nestedRoutes(base, kind)),
    ...queriedRoutes(base),
  ]
}

/** The federated network service offers everything that the allocation service does, under its own path. */
function federatedRoutes(): Route[] {
  const same = resourceRoutes('/fns').map((route) =>
    route.path === wrappedComputeRoute.path ? wrappedComputeRoute : route,
  )
  return [...same, ...federatedNetworkRoutes].map((route) => ({
    ...route,
    id: `fns${route.id.charAt(0).toUpperCase()}${route.id.slice(1)}`,
  }))
}

/** Every path and method of the API. */
export const routes: readonly Route[] = [
  ...authenticationRoutes,
  ...loginRoutes,
  ...serviceRoutes('/as', '1.0.0'),
  ...resourceRoutes('/ras'),
  ...administrationRoutes,
  ...marketplaceRoutes,
  ...serviceRoutes('/ras', '3.0.0'),
  ...federatedRoutes(),
  ...serviceRoutes('/fns', '2.0.0'),
  ...membershipRoutes,
  ...serviceRoutes('/ms', '2.0.0'),
]
