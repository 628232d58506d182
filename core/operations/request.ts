import { invalid, type NestedKind, type OrderedKind, readLeniently } from '@fogbow/plugin-sdk'
import { problemError, validatorFor } from '@fogbow/plugin-sdk/validate'

export function toBody(body: unknown): Record<string, unknown> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body))
    return body as Record<string, unknown>
  throw invalid('body', 'must be a JSON object')
}

/**
 * Reads a request as leniently as older clients need and checks it as strictly as its kind says.
 * @throws invalid_parameter that names the field, such as `compute.vCPU`
 */
export function toRequest(kind: OrderedKind | NestedKind, body: unknown): Record<string, unknown> {
  const request = readLeniently(kind.request, toBody(body), kind.aliases) as Record<string, unknown>
  const problem = validatorFor(kind.request)(request) ?? kind.check?.(request)
  if (problem) throw problemError(kind.name, problem)
  return request
}
