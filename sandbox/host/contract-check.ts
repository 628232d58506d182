import { contracts, FogbowError, type MethodContract } from '@fogbow/plugin-sdk'
import { joinPath, problemError, validatorFor } from '@fogbow/plugin-sdk/validate'

/** @throws invalid_parameter naming the field */
export function checkArguments(
  method: string,
  contract: MethodContract,
  args: readonly unknown[],
): void {
  if (args.length !== contract.params.length) {
    const names = contract.params.map((param) => param.name).join(', ')
    throw new FogbowError(
      'invalid_parameter',
      `${method} takes (${names}), not ${args.length} arguments`,
    )
  }
  for (const [at, { name, schema }] of contract.params.entries()) {
    const problem = validatorFor(schema)(args[at])
    if (problem) throw problemError(name, problem)
  }
}

/** @throws plugin_failure naming plugin, method and field */
export function checkAnswer(
  plugin: string,
  method: string,
  contract: MethodContract,
  answer: unknown,
): unknown {
  if (!contract.result) return undefined
  const problem = validatorFor(contract.result)(answer)
  if (!problem) return answer
  const field = joinPath('answer', problem.field)
  throw new FogbowError(
    'plugin_failure',
    `Plugin '${plugin}' answered ${method} wrongly: ${field} ${problem.message}`,
    {
      details: { field },
    },
  )
}

/**
 * What of an offer the contracts know.
 * @throws plugin_failure when a required method of a promised kind is missing
 */
export function checkOffer(
  plugin: string,
  kinds: readonly string[],
  offer: unknown,
): ReadonlySet<string> {
  const names = Array.isArray(offer) ? offer.filter((name) => typeof name === 'string') : []
  const offered = new Set<string>(names.filter(isPromised))
  for (const kind of kinds) {
    for (const [name, contract] of Object.entries(contracts[kind]?.methods ?? {})) {
      if (contract.optional || offered.has(`${kind}.${name}`)) continue
      throw new FogbowError(
        'plugin_failure',
        `Plugin '${plugin}' offers no ${kind}.${name}, which the kind '${kind}' requires`,
      )
    }
  }
  return offered

  function isPromised(method: string): boolean {
    const [kind = '', name = ''] = method.split('.')
    const methods = contracts[kind]?.methods
    return kinds.includes(kind) && methods !== undefined && Object.hasOwn(methods, name)
  }
}
