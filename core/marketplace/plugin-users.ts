import { FogbowError } from '@fogbow/plugin-sdk'
import type { SiteConfig } from '../config/index.ts'
import type { PluginHost } from '../plugins/index.ts'
import type { Store } from '../store/index.ts'

/** Plugin instances of the site that run a package, or would if they could be loaded. */
export function instancesOf(plugins: PluginHost, packageName: string): string[] {
  return plugins
    .list()
    .filter((plugin) => plugin.packageName === packageName)
    .map(({ name }) => name)
}

/** Clouds of which a plugin instance serves some kind, or makes the accounts. */
export function cloudsServedBy(config: SiteConfig, instance: string): string[] {
  return Object.entries(config.clouds)
    .filter(([, cloud]) =>
      [cloud.plugin, cloud.mapper, ...Object.values(cloud.kinds)].includes(instance),
    )
    .map(([name]) => name)
}

const SHOWN = 20

/**
 * Makes sure that nothing open needs a plugin.
 * @throws unacceptable_operation with the orders, of which `details.orders` holds the first ones
 */
export async function refuseWhileInUse(
  store: Store,
  config: SiteConfig,
  instance: string,
  action: string,
): Promise<void> {
  const clouds = cloudsServedBy(config, instance)
  if (clouds.length === 0) return
  const open = store.db
    .selectFrom('orders')
    .where('provider', '=', config.site.id)
    .where('cloud_name', 'in', clouds)
    .where('state', '!=', 'CLOSED')
  const { count } = await open
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  if (Number(count) === 0) return
  const rows = await open.select('id').orderBy('seq').limit(SHOWN).execute()
  const orders = rows.map(({ id }) => id)
  const more = Number(count) > SHOWN ? ` and ${Number(count) - SHOWN} more` : ''
  throw new FogbowError(
    'unacceptable_operation',
    `${action}: ${count} open ${Number(count) === 1 ? 'order needs' : 'orders need'} it (${orders.join(', ')}${more}); delete them first`,
    { details: { orders } },
  )
}

/**
 * Makes sure that nothing open needs a plugin instance that another configuration does not have any more.
 * @throws unacceptable_operation with the orders
 */
export async function refuseDropped(
  store: Store,
  before: SiteConfig,
  after: SiteConfig,
): Promise<void> {
  for (const instance of Object.keys(before.plugins)) {
    if (Object.hasOwn(after.plugins, instance)) continue
    await refuseWhileInUse(store, before, instance, `Plugin '${instance}' cannot be taken out`)
  }
}
