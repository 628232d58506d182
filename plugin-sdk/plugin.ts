import type {
  AuthenticationPlugin,
  AuthorizationPlugin,
  FederationIdentityPlugin,
  FederationToLocalMapperPlugin,
  TokenGeneratorPlugin,
} from './contracts/aaa.ts'
import type {
  AttachmentPlugin,
  ComputePlugin,
  ImagePlugin,
  NetworkPlugin,
  PublicIpPlugin,
  QuotaPlugin,
  SecurityRulePlugin,
  SpecPlugin,
  VolumePlugin,
} from './contracts/cloud.ts'
import type { HealthPlugin } from './contracts/health.ts'
import type { LoginPlugin } from './contracts/login.ts'
import type { PlacementPlugin } from './contracts/placement.ts'
import type { PluginHost } from './host.ts'

/** The kinds that one plugin offers, each with its methods. */
export interface PluginParts {
  compute?: ComputePlugin
  volume?: VolumePlugin
  network?: NetworkPlugin
  attachment?: AttachmentPlugin
  publicIp?: PublicIpPlugin
  securityRule?: SecurityRulePlugin
  image?: ImagePlugin
  spec?: SpecPlugin
  quota?: QuotaPlugin
  tokenGenerator?: TokenGeneratorPlugin
  federationIdentity?: FederationIdentityPlugin
  authentication?: AuthenticationPlugin
  authorization?: AuthorizationPlugin
  federationToLocalMapper?: FederationToLocalMapperPlugin
  login?: LoginPlugin
  placement?: PlacementPlugin
  health?: HealthPlugin
}

export interface PluginDefinition<Config> {
  /** Called once per sandbox, before the first call. Throwing refuses the start; say which key of `host.config` is wrong. */
  create(host: PluginHost<Config>): PluginParts | Promise<PluginParts>
}

/**
 * Declares a plugin; its result is the default export of the package's entry.
 *
 * ```ts
 * export default definePlugin({
 *   create: ({ config, fetch }) => ({ image: { getAllImages: async (token) => … , getImage: … } }),
 * })
 * ```
 */
export function definePlugin<Config = Record<string, unknown>>(
  definition: PluginDefinition<Config>,
): PluginDefinition<Config> {
  return definition
}
