import { FogbowError } from '@fogbow/plugin-sdk'

/** With what somebody logs in to Keystone (Identity API v3, "Authentication and token management"). */
export type Credential = PasswordCredential | ApplicationCredential | TokenCredential

export interface PasswordCredential {
  username?: string
  userId?: string
  password: string
  userDomain?: string
  project?: string
  projectId?: string
  projectDomain?: string
}

/** Its project is part of it. */
export interface ApplicationCredential {
  applicationCredentialId: string
  applicationCredentialSecret: string
}

/** A token of Keystone that somebody else has. */
export interface TokenCredential {
  token: string
}

const fields = [
  'username',
  'userId',
  'password',
  'userDomain',
  'project',
  'projectId',
  'projectDomain',
  'applicationCredentialId',
  'applicationCredentialSecret',
  'token',
] as const

/**
 * Reads the fields of a credential and leaves out all others.
 * @throws configuration_error that shows no field
 */
export function readCredential(from: Readonly<Record<string, unknown>>, whose: string): Credential {
  const found: Record<string, string> = {}
  for (const field of fields) {
    const value = Object.hasOwn(from, field) ? from[field] : undefined
    if (typeof value === 'string' && value !== '') found[field] = value
  }
  if (found.applicationCredentialId && found.applicationCredentialSecret)
    return found as unknown as ApplicationCredential
  if (found.password && (found.username || found.userId))
    return found as unknown as PasswordCredential
  if (found.token) return found as unknown as TokenCredential
  throw new FogbowError(
    'configuration_error',
    `${whose} needs username and password with project, or applicationCredentialId and applicationCredentialSecret`,
  )
}

/** Body of `POST /v3/auth/tokens`. */
export function toAuthRequest(credential: Credential, defaultDomain: string): object {
  const scope = scopeOf(credential, defaultDomain)
  return { auth: { identity: identityOf(credential, defaultDomain), ...(scope && { scope }) } }
}

function identityOf(credential: Credential, defaultDomain: string): object {
  if ('token' in credential) return { methods: ['token'], token: { id: credential.token } }
  if ('applicationCredentialId' in credential) {
    const { applicationCredentialId: id, applicationCredentialSecret: secret } = credential
    return { methods: ['application_credential'], application_credential: { id, secret } }
  }
  const { username, userId, password, userDomain = defaultDomain } = credential
  const user = userId ? { id: userId } : { name: username, domain: { name: userDomain } }
  return { methods: ['password'], password: { user: { ...user, password } } }
}

function scopeOf(credential: Credential, defaultDomain: string): object | undefined {
  if (!('password' in credential)) return undefined
  const { project, projectId, userDomain = defaultDomain, projectDomain = userDomain } = credential
  if (projectId) return { project: { id: projectId } }
  return project ? { project: { name: project, domain: { name: projectDomain } } } : undefined
}
