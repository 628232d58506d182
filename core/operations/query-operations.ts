import { type QueriedKind, resources } from '@fogbow/plugin-sdk'
import type { OperationParts } from './operation-parts.ts'
import type { Operations, RequestContext } from './operations.ts'
import type { CloudQuery } from './providers.ts'

type Amounts = Record<string, number>

/** Unlimited, or not known. */
const UNLIMITED = -1

/** What is asked of a cloud without ordering anything. */
export function createQueryOperations(
  parts: OperationParts,
): Pick<
  Operations,
  'listClouds' | 'listImages' | 'getImage' | 'listSpecs' | 'getSpec' | 'getQuota'
> {
  const { guard } = parts

  function query(
    context: RequestContext,
    kind: QueriedKind,
    where: { provider: string; cloudName: string },
    operation: 'get' | 'getAll',
    method: CloudQuery['method'],
    id?: string,
  ): Promise<unknown> {
    return guard(context, { operation, type: kind.type, ...where }, async (access) => {
      const provider = parts.providerOf(where.provider, where.cloudName)
      await access.authorize()
      const asked = {
        cloudName: where.cloudName,
        kind: kind.name as CloudQuery['kind'],
        method,
        ...(id !== undefined && { id }),
      }
      return provider.query(access.user, asked, context.signal)
    })
  }

  return {
    listClouds: (context, provider = parts.siteId()) =>
      guard(
        context,
        { operation: 'getAll', type: resources.cloud.type, provider },
        async (access) => {
          const asked = parts.providers.of(provider)
          await access.authorize()
          return { clouds: [...(await asked.listClouds(access.user, context.signal))] }
        },
      ),

    listImages: async (context, provider, cloudName) =>
      (await query(
        context,
        resources.image,
        { provider, cloudName },
        'getAll',
        'getAllImages',
      )) as { id: string; name: string }[],

    async getImage(context, provider, cloudName, id) {
      const image = await query(
        context,
        resources.image,
        { provider, cloudName },
        'get',
        'getImage',
        id,
      )
      return {
        provider,
        cloudName,
        size: UNLIMITED,
        minDisk: UNLIMITED,
        minRam: UNLIMITED,
        status: null,
        ...(image as object),
      }
    },

    listSpecs: async (context, provider, cloudName) =>
      (await query(context, resources.spec, { provider, cloudName }, 'getAll', 'getAllSpecs')) as {
        id: string
        name: string
      }[],

    async getSpec(context, provider, cloudName, id) {
      const spec = await query(
        context,
        resources.spec,
        { provider, cloudName },
        'get',
        'getFlavor',
        id,
      )
      return { provider, cloudName, requirements: {}, ...(spec as object) }
    },

    async getQuota(context, provider, cloudName) {
      const quota = await query(
        context,
        resources.quota,
        { provider, cloudName },
        'get',
        'getUserQuota',
      )
      const { totalQuota, usedQuota } = quota as { totalQuota: Amounts; usedQuota: Amounts }
      return { totalQuota, usedQuota, availableQuota: available(totalQuota, usedQuota) }
    },
  }
}

function available(total: Amounts, used: Amounts): Amounts {
  const names = Object.keys(total)
  return Object.fromEntries(
    names.map((name) => [name, remaining(total[name] ?? UNLIMITED, used[name] ?? 0)]),
  )
}

function remaining(total: number, used: number): number {
  return total < 0 ? UNLIMITED : Math.max(total - used, UNLIMITED)
}
