import { type FederationUser, FogbowError } from '@fogbow/plugin-sdk'
import type { ClaimPath, ClaimSettings, Settings } from './config.ts'

export type Claims = Readonly<Record<string, unknown>>
/** A user as this site knows him. */
export type KnownUser = FederationUser & Required<Pick<FederationUser, 'attributes'>>

const LONGEST_ID = 255
const LONGEST_TEXT = 1024
const MOST_VALUES = 256

/**
 * Who somebody is by what the provider says of him.
 * @throws unauthorized when something is missing without which nobody may come in
 */
export function toUser(claims: Claims, settings: Settings): KnownUser {
  const { issuer, identityProvider = issuer, claims: mapping = {} } = settings
  checkRequired(claims, mapping, issuer)
  const id = idOf(claims, mapping)
  if (id === undefined || id === '' || id.length > LONGEST_ID)
    throw new FogbowError(
      'unauthorized',
      `the identity provider ${issuer} does not say who this is: claim '${show(mapping.id ?? 'sub')}' must be a text of 1 to ${LONGEST_ID} characters`,
    )
  return {
    id,
    identityProviderId: identityProvider,
    name: nameOf(claims, mapping) ?? id,
    roles: rolesOf(claims, mapping),
    attributes: attributesOf(claims, mapping),
  }
}

function checkRequired(claims: Claims, { require = [] }: ClaimSettings, issuer: string): void {
  for (const { claim, values } of require) {
    const found = textsAt(claims, claim)
    if (found.length > 0 && (!values || values.some((value) => found.includes(value)))) continue
    throw new FogbowError(
      'unauthorized',
      `this site takes nobody of whom ${issuer} does not say '${show(claim)}'${values ? `, one of: ${values.join(', ')}` : ''}; ask the administrator of the provider or of this site`,
    )
  }
}

/**
 * A machine that acts for itself is marked as one: the ids of clients are chosen by those who register them, and must not
 * be those of users (RFC 9068, section 5).
 */
function idOf(claims: Claims, { id: path = 'sub' }: ClaimSettings): string | undefined {
  const { sub, client_id: clientId, azp } = claims
  const client = typeof clientId === 'string' ? clientId : azp
  const isForItself = typeof client === 'string' && (sub === undefined || sub === client)
  if (isForItself) return `client:${client}`
  const id = valueAt(claims, path)
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined
}

function nameOf(claims: Claims, { name }: ClaimSettings): string | undefined {
  const paths = name === undefined ? ['name', 'preferred_username'] : [name]
  return paths.flatMap((path) => textsAt(claims, path))[0]?.slice(0, LONGEST_TEXT)
}

function rolesOf(claims: Claims, { roles = {} }: ClaimSettings): string[] {
  const { from = [], map = {}, default: everybody = [] } = roles
  const has = from.flatMap((path) => textsAt(claims, path))
  const mapped = has.flatMap((value) => (Object.hasOwn(map, value) ? (map[value] ?? []) : []))
  return [...new Set([...everybody, ...mapped])].slice(0, MOST_VALUES)
}

function attributesOf(claims: Claims, { attributes }: ClaimSettings): KnownUser['attributes'] {
  const wanted = Object.entries(attributes ?? { email: 'email' })
  return Object.fromEntries(
    wanted.flatMap(([name, path]) => {
      const texts = textsAt(claims, path)
        .filter((text) => text.length <= LONGEST_TEXT)
        .slice(0, MOST_VALUES)
      const [first] = texts
      if (first === undefined) return []
      return [[name, Array.isArray(valueAt(claims, path)) ? texts : first]]
    }),
  )
}

/** Texts, numbers and truth values of a claim, one or a list; nothing of what else it may be. */
function textsAt(claims: Claims, path: ClaimPath): string[] {
  const value = valueAt(claims, path)
  return (Array.isArray(value) ? value : [value])
    .filter((one) => ['string', 'number', 'boolean'].includes(typeof one))
    .map(String)
}

/** A text is first taken for the name of a claim as it is: some have dots in it, such as https://example.org/roles. */
function valueAt(claims: Claims, path: ClaimPath): unknown {
  if (typeof path === 'string' && Object.hasOwn(claims, path)) return claims[path]
  const steps = typeof path === 'string' ? path.split('.') : path
  let node: unknown = claims
  for (const step of steps) {
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, step)) return undefined
    node = (node as Record<string, unknown>)[step]
  }
  return node
}

function show(path: ClaimPath): string {
  return typeof path === 'string' ? path : path.join('.')
}
