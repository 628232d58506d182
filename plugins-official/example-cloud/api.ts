import {
  type CallContext,
  type ErrorCode,
  FogbowError,
  type LocalToken,
  type PluginHost,
} from '@fogbow/plugin-sdk'

/** A machine as the cloud shows it. */
export interface Machine {
  id: string
  /** A label of our choice. */
  label: string
  status: 'building' | 'running' | 'broken' | 'deleting'
  problem?: string
  flavor: Flavor
  address?: string
}

export interface Flavor {
  id: string
  name: string
  cpus: number
  memoryMiB: number
  diskGiB: number
}

export interface Image {
  id: string
  name: string
}

export interface Limits {
  machines: { limit: number; used: number }
}

/** One request to the cloud, as the account that the user is mapped to. */
export type Api = <Answer>(
  method: string,
  path: string,
  token: LocalToken,
  call: CallContext,
  body?: unknown,
) => Promise<Answer>

export function createApi({ config, fetch }: PluginHost<{ url: string }>): Api {
  return async <Answer>(
    method: string,
    path: string,
    token: LocalToken,
    call: CallContext,
    body?: unknown,
  ) => {
    const response = await fetch(`${config.url.replace(/\/$/, '')}${path}`, {
      method,
      signal: call.signal,
      headers: {
        authorization: `Bearer ${String(token.credential)}`,
        'content-type': 'application/json',
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((error) => {
      // It may have arrived: whoever asked will look, and ask again.
      throw new FogbowError('unavailable_provider', `the cloud does not answer: ${error.message}`)
    })
    const text = await response.text()
    if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as Answer
    throw toError(response.status, text)
  }
}

/** Refusals for good, by status; everything else leaves open what was done. */
const refusals: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid_parameter',
  401: 'unauthenticated',
  402: 'quota_exceeded',
  403: 'unauthorized',
  404: 'instance_not_found',
  409: 'unacceptable_operation',
}

function toError(status: number, text: string): FogbowError {
  const code = refusals[status] ?? 'unavailable_provider'
  return new FogbowError(code, `the cloud answered ${status}: ${text.slice(0, 500)}`)
}
