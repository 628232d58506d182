import { FogbowError, invalid } from '@fogbow/plugin-sdk'
import type { IdentitySource } from '../config/index.ts'

/**
 * The source at which somebody wants to log in: that of `domain`, or the first. Where there is only one, `domain` is its own
 * business.
 * @throws invalid_parameter for a domain of nobody
 */
export function sourceForLogIn(
  sources: readonly IdentitySource[],
  credentials: Readonly<Record<string, string>>,
): IdentitySource {
  const [first, ...others] = sources
  if (!first) throw new FogbowError('configuration_error', 'This site has no identity source')
  const domain = (credentials.domain ?? '').trim().toLowerCase()
  if (others.length === 0 && first.identityProviderId === undefined) return first
  if (domain === '') return first
  const found = sources.find((source) => source.domains.includes(domain))
  if (found) return found
  const known = sources.flatMap((source) => source.domains).join(', ')
  throw invalid(
    'credentials.domain',
    `'${domain.slice(0, 80)}' is no domain of this site; domains are ${known}`,
  )
}

/**
 * The source that is to say whether a token is good. What the token says of its issuer chooses, and proves nothing.
 * @throws unauthenticated for a token of nobody
 */
export function sourceOfToken(
  sources: readonly IdentitySource[],
  tokenValue: string,
): IdentitySource {
  const [first] = sources
  if (first && sources.length === 1 && first.identityProviderId === undefined) return first
  const issuer = issuerIn(tokenValue)
  const found = sources.find((source) =>
    issuer === undefined ? source.opaqueTokens : source.issuers.includes(issuer),
  )
  if (found) return found
  const whose = issuer === undefined ? 'without issuer' : `of issuer '${issuer.slice(0, 80)}'`
  throw new FogbowError(
    'unauthenticated',
    `No identity source of this site gives out tokens ${whose}; log in again`,
  )
}

/** The claim `iss` of a JWT (RFC 7519, section 4.1.1), read and not verified; undefined for every other text. */
function issuerIn(tokenValue: string): string | undefined {
  const parts = tokenValue.split('.')
  if (parts.length !== 3) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'))
    const { iss } = (claims ?? {}) as { iss?: unknown }
    return typeof iss === 'string' ? iss : undefined
  } catch {
    return undefined
  }
}
