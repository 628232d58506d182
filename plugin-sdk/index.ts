/** Everything that an author of a plugin imports. */
export {
  type AuthenticationPlugin,
  type AuthorizationPlugin,
  aaaContracts,
  type FederationIdentityPlugin,
  type FederationToLocalMapperPlugin,
  type TokenGeneratorPlugin,
} from './contracts/aaa.ts'
export {
  type AttachmentPlugin,
  type ComputePlugin,
  cloudContracts,
  type ImagePlugin,
  type NetworkPlugin,
  type OrderedPlugin,
  type ParentOrder,
  type PublicIpPlugin,
  type QuotaPlugin,
  type SecurityRulePlugin,
  type SpecPlugin,
  type VolumePlugin,
} from './contracts/cloud.ts'
export type { Contract, MethodContract } from './contracts/define-contract.ts'
export { type HealthPlugin, healthContract } from './contracts/health.ts'
export { contracts, methodContract, pluginKinds } from './contracts/index.ts'
export {
  type BegunDeviceLogin,
  type BegunLogin,
  type EndedSession,
  type KeptLogin,
  type LoginPlugin,
  loginContract,
  type PolledLogin,
} from './contracts/login.ts'
export {
  type PlacementCandidate,
  type PlacementPlugin,
  type PlacementRanking,
  type PlacementRequest,
  placementContract,
} from './contracts/placement.ts'
export {
  type Credentials,
  type FederationUser,
  type FederationUserToken,
  federationUser,
  type LocalToken,
  type Operation,
  type PluginOrder,
  type RequestedInstance,
} from './contracts/shapes.ts'
export {
  asFogbowError,
  type ErrorCode,
  type ErrorDetails,
  type ErrorRecord,
  errorCatalogue,
  FogbowError,
  fromErrorRecord,
  invalid,
  isErrorCode,
  type Outcome,
  toErrorRecord,
} from './errors.ts'
export type {
  CallContext,
  Clock,
  Connect,
  Log,
  PluginHost,
  Secrets,
  Socket,
  SocketAddress,
  SocketOptions,
  Storage,
  StorageChange,
  StorageEntry,
} from './host.ts'
export { manifestSchema, type PluginManifest } from './manifest.ts'
export { definePlugin, type PluginDefinition, type PluginParts } from './plugin.ts'
export { hasRefusedWithin, rankCandidates } from './rank-candidates.ts'
export {
  type InstanceOf,
  type InstanceState,
  instanceStates,
  type NestedKind,
  type OrderedKind,
  type PowerAction,
  type QueriedKind,
  type RequestOf,
  type ResourceKind,
  type ViewOf,
} from './resources/define-resource.ts'
export {
  nestedKinds,
  orderedKind,
  orderedKinds,
  queriedKinds,
  resources,
} from './resources/index.ts'
export { type Schema, schema, type TypeOf } from './schema/json-schema.ts'
export { readLeniently } from './schema/lenient.ts'
export {
  createSignedTokens,
  isAttributes,
  isName,
  isRoles,
  type SignedTokenSettings,
  type SignedTokens,
  type SignedUser,
} from './signed-tokens.ts'
export { sdkVersion } from './version.ts'
