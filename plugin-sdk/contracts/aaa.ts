import type { CallContext } from '../host.ts'
import { schema } from '../schema/json-schema.ts'
import { defineContract } from './define-contract.ts'
import {
  type Credentials,
  credentials,
  type FederationUser,
  type FederationUserToken,
  federationUser,
  federationUserToken,
  type LocalToken,
  localToken,
  type Operation,
  operation,
  tokenValue,
} from './shapes.ts'

const yesOrNo = schema({ type: 'boolean' })
const policyText = { name: 'policy', schema: schema({ type: 'string', maxLength: 1048576 }) }

export const tokenGeneratorContract = defineContract({
  kind: 'tokenGenerator',
  version: 1,
  description: 'Turns what a user presents at login into a token',
  methods: {
    createTokenValue: {
      params: [{ name: 'credentials', schema: credentials }],
      result: tokenValue,
      timeoutMs: 15_000,
      description:
        'Checks the credentials and makes a token. Throws `unauthenticated` when they are wrong, without saying which part.',
    },
  },
})

export const federationIdentityContract = defineContract({
  kind: 'federationIdentity',
  version: 1,
  description: 'Reads who a token is about',
  methods: {
    getFederationUserToken: {
      params: [{ name: 'tokenValue', schema: tokenValue }],
      result: federationUserToken,
      timeoutMs: 10_000,
      description:
        'Reads the token; says nothing about its authenticity. Throws `unauthenticated` when it cannot be read.',
    },
  },
})

export const authenticationContract = defineContract({
  kind: 'authentication',
  version: 1,
  description: 'Tells whether a token is what it claims',
  methods: {
    isAuthentic: {
      params: [{ name: 'token', schema: federationUserToken }],
      result: yesOrNo,
      timeoutMs: 10_000,
      description:
        'True only when signature, issuer, audience and expiry hold and the user fields are those of the signed token.',
    },
  },
})

export const authorizationContract = defineContract({
  kind: 'authorization',
  version: 1,
  description: 'Decides who may do what',
  methods: {
    isAuthorized: {
      params: [
        { name: 'token', schema: federationUser },
        { name: 'operation', schema: operation },
        { name: 'type', schema: schema({ type: 'string', maxLength: 64 }) },
      ],
      result: yesOrNo,
      timeoutMs: 10_000,
      description: 'False denies. Throwing `unauthorized` denies as well and tells the user why.',
    },
    setPolicy: {
      params: [policyText],
      timeoutMs: 10_000,
      optional: true,
      description:
        'Replaces the policy, all or nothing. Throws `configuration_error` when it does not hold.',
    },
    updatePolicy: {
      params: [policyText],
      timeoutMs: 10_000,
      optional: true,
      description:
        'Merges into the policy, all or nothing. Throws `configuration_error` when it does not hold.',
    },
  },
})

export const federationToLocalMapperContract = defineContract({
  kind: 'federationToLocalMapper',
  version: 1,
  description: 'Maps a user of the federation to an account of a cloud',
  methods: {
    getToken: {
      params: [{ name: 'user', schema: federationUser }],
      result: localToken,
      timeoutMs: 30_000,
      description:
        'Answers the credential for the cloud. Throws `unauthorized` for a user without an account.',
    },
  },
})

export const aaaContracts = {
  tokenGenerator: tokenGeneratorContract,
  federationIdentity: federationIdentityContract,
  authentication: authenticationContract,
  authorization: authorizationContract,
  federationToLocalMapper: federationToLocalMapperContract,
} as const

export interface TokenGeneratorPlugin {
  createTokenValue(credentials: Credentials, call: CallContext): Promise<string>
}

export interface FederationIdentityPlugin {
  getFederationUserToken(tokenValue: string, call: CallContext): Promise<FederationUserToken>
}

export interface AuthenticationPlugin {
  isAuthentic(token: FederationUserToken, call: CallContext): Promise<boolean>
}

export interface AuthorizationPlugin {
  /** @param type - resource type on the wire, such as `COMPUTE` */
  isAuthorized(
    user: FederationUser,
    operation: Operation,
    type: string,
    call: CallContext,
  ): Promise<boolean>
  setPolicy?(policy: string, call: CallContext): Promise<void>
  updatePolicy?(policy: string, call: CallContext): Promise<void>
}

export interface FederationToLocalMapperPlugin {
  getToken(user: FederationUser, call: CallContext): Promise<LocalToken>
}
