import { contracts, FogbowError, type MethodContract, methodContract } from '@fogbow/plugin-sdk'
import { joinPath, problemError, type Validator, validatorFor } from '@fogbow/plugin-sdk/validate'

/** One method of a contract, ready to be called often: everything about it is looked up once. */
export class OfferedMethod {
  /** `kind.method` */
  readonly name: string
  readonly timeoutMs: number
  readonly #contract: MethodContract
  /** One per parameter; compiled with the first call. */
  #validators: Validator[] | undefined
  #validateAnswer: Validator | undefined

  constructor(name: string, contract: MethodContract) {
    this.name = name
    this.timeoutMs = contract.timeoutMs
    this.#contract = contract
  }

  /** @throws invalid_parameter naming the field */
  checkArguments(args: readonly unknown[]): void {
    const { params } = this.#contract
    if (args.length !== params.length) {
      const names = params.map((param) => param.name).join(', ')
      throw new FogbowError(
        'invalid_parameter',
        `${this.name} takes (${names}), not ${args.length} arguments`,
      )
    }
    this.#validators ??= params.map(({ schema }) => validatorFor(schema))
    for (let at = 0; at < params.length; at++) {
      const problem = this.#validators[at]?.(args[at])
      if (problem) throw problemError(params[at]?.name ?? '', problem)
    }
  }

  /**
   * @returns the answer, or nothing when the contract knows of none
   * @throws plugin_failure naming plugin, method and field
   */
  checkAnswer(plugin: string, answer: unknown): unknown {
    const { result } = this.#contract
    if (!result) return undefined
    this.#validateAnswer ??= validatorFor(result)
    const problem = this.#validateAnswer(answer)
    if (!problem) return answer
    const field = joinPath('answer', problem.field)
    throw new FogbowError(
      'plugin_failure',
      `Plugin '${plugin}' answered ${this.name} wrongly: ${field} ${problem.message}`,
      { details: { field } },
    )
  }
}

/**
 * What of an offer the contracts know.
 * @throws plugin_failure when a required method of a promised kind is missing
 */
export function checkOffer(
  plugin: string,
  kinds: readonly string[],
  offer: unknown,
): ReadonlyMap<string, OfferedMethod> {
  const offered = new Map<string, OfferedMethod>()
  for (const name of Array.isArray(offer) ? offer : []) {
    const contract = typeof name === 'string' && isPromised(name) ? methodContract(name) : undefined
    if (contract) offered.set(name, new OfferedMethod(name, contract))
  }
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
    return kinds.includes(method.slice(0, method.indexOf('.')))
  }
}
