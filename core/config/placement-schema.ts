/** Where orders go that say so, or that do not say where. */
export const placementSchema = {
  type: 'object',
  default: {},
  additionalProperties: false,
  properties: {
    plugin: {
      type: 'string',
      minLength: 1,
      maxLength: 64,
      description: 'Name of an entry of `plugins`; it ranks sites for orders to provider `any`',
    },
    default: {
      type: 'string',
      enum: ['local', 'any'],
      default: 'local',
      description: 'Where orders go that name no provider: to this site, or to any',
    },
  },
} as const

interface PlacementSettings {
  site: { id: string }
  plugins: Readonly<Record<string, unknown>>
  members: { list: readonly string[] }
  placement: { plugin?: string | undefined; default: 'local' | 'any' }
}

/** What a schema cannot say: names that must exist, and the one that stands for all sites. */
export function placementProblem(
  config: PlacementSettings,
): { key: string; message: string } | undefined {
  const { plugin, default: byDefault } = config.placement
  if (plugin === undefined && byDefault === 'any')
    return { key: 'placement.default', message: "cannot be 'any' without placement.plugin" }
  if (plugin !== undefined && !Object.hasOwn(config.plugins, plugin)) {
    const names = Object.keys(config.plugins).join(', ')
    const message = `no plugin is named '${plugin}'; plugins are ${names}`
    return { key: 'placement.plugin', message }
  }
  const reserved = "cannot be 'any': in requests that stands for all sites"
  if (config.site.id === 'any') return { key: 'site.id', message: reserved }
  if (config.members.list.includes('any')) return { key: 'members.list', message: reserved }
  return undefined
}
