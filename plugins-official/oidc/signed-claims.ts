import { asFogbowError, FogbowError, type PluginHost } from '@fogbow/plugin-sdk'
import { base64url, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import { defaults, type Settings } from './config.ts'
import type { Keys } from './keys.ts'

/** What the provider signed. */
export interface SignedClaims {
  /**
   * Claims of a JWT when signature, algorithm, issuer, audience and times hold.
   * @param audience - any when absent
   * @throws unauthenticated; unavailable_provider when nobody can tell, because the provider's keys cannot be had
   */
  verify(token: string, audience?: string): Promise<JWTPayload>
}

export function createSignedClaims(
  { config, clock }: Pick<PluginHost<Settings>, 'config' | 'clock'>,
  keys: Keys,
): SignedClaims {
  const algorithms = [...(config.algorithms ?? defaults.algorithms)]
  const clockTolerance = config.clockToleranceSeconds ?? defaults.clockToleranceSeconds

  return {
    async verify(token, audience) {
      if (!isCanonical(token)) throw refused()
      try {
        const { payload } = await jwtVerify(token, keys.keyFor, {
          algorithms,
          issuer: config.issuer,
          ...(audience !== undefined && { audience }),
          clockTolerance,
          currentDate: new Date(clock.now()),
          requiredClaims: ['iss', 'aud', 'exp', 'iat'],
        })
        return payload
      } catch (error) {
        if (error instanceof FogbowError) throw error
        throw refused(error)
      }
    },
  }
}

/** Whether a text is a signed JWT in compact form, whoever signed it. */
export function headerOf(token: string): { alg?: string; typ?: string } | undefined {
  if (token.split('.').length !== 3) return undefined
  try {
    return decodeProtectedHeader(token)
  } catch {
    return undefined
  }
}

/** The last character of base64 has spare bits: texts that differ there only must not pass for the same token. */
export function isCanonical(token: string): boolean {
  const signature = token.slice(token.lastIndexOf('.') + 1)
  try {
    return base64url.encode(base64url.decode(signature)) === signature
  } catch {
    return false
  }
}

function refused(cause?: unknown): FogbowError {
  const reason = cause === undefined ? '' : ` (${asFogbowError(cause).message.slice(0, 200)})`
  return new FogbowError('unauthenticated', `the token is not good${reason}; log in again`)
}
