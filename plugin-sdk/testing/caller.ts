import { contracts, methodContract } from '../contracts/index.ts'
import { FogbowError, fromErrorRecord, toErrorRecord } from '../errors.ts'
import type { CallContext, PluginHost } from '../host.ts'
import type { PluginDefinition, PluginParts } from '../plugin.ts'
import { assertValid, validatorFor } from '../schema/validate.ts'

/** How a plugin is reached, wherever it runs: in this process, or behind the wall of a sandbox. */
export interface PluginCaller {
  /** `kind.method` of everything that the plugin offers. */
  readonly offered: ReadonlySet<string>
  /** @throws FogbowError: what the plugin threw, or `plugin_failure` when the answer breaks the contract */
  call(method: string, args: readonly unknown[]): Promise<unknown>
}

type Method = (...args: unknown[]) => unknown

/**
 * Starts a plugin in this process and calls it as a site would: parameters and answers cross as JSON and are checked
 * against the contract, errors arrive as their records.
 */
export async function startInProcess<Config>(
  definition: PluginDefinition<Config>,
  host: PluginHost<Config>,
): Promise<PluginCaller> {
  const methods = methodsOf(await definition.create(host))
  return {
    offered: new Set(methods.keys()),
    async call(name, args) {
      const method = methods.get(name)
      const contract = methodContract(name)
      if (!method || !contract)
        throw new FogbowError('not_implemented', `the plugin does not offer ${name}`)
      contract.params.forEach(({ name: param, schema }, index) => {
        assertValid(schema, args[index], param)
      })
      const call = callContext(host, contract.timeoutMs)
      const answer = copy(await run(method, [...args.map(copy), call]))
      if (contract.result) checkAnswer(name, contract.result, answer)
      return contract.result ? answer : undefined
    },
  }
}

function methodsOf(parts: PluginParts): Map<string, Method> {
  const methods = new Map<string, Method>()
  for (const [kind, part] of Object.entries(parts)) {
    for (const name of Object.keys(contracts[kind]?.methods ?? {})) {
      const method = (part as Record<string, unknown>)[name]
      if (typeof method === 'function') methods.set(`${kind}.${name}`, method.bind(part))
    }
  }
  return methods
}

function callContext<Config>(host: PluginHost<Config>, timeoutMs: number): CallContext {
  return { signal: new AbortController().signal, deadline: host.clock.now() + timeoutMs }
}

async function run(method: Method, args: unknown[]): Promise<unknown> {
  try {
    return await method(...args)
  } catch (error) {
    throw Object.assign(fromErrorRecord(toErrorRecord(error)), { cause: error })
  }
}

function checkAnswer(name: string, schema: Parameters<typeof validatorFor>[0], answer: unknown) {
  const problem = validatorFor(schema)(answer)
  if (!problem) return
  const where = problem.field ? `${problem.field} ` : ''
  throw new FogbowError(
    'plugin_failure',
    `${name} answered what its contract does not allow: ${where}${problem.message}`,
  )
}

function copy(value: unknown): unknown {
  const text = JSON.stringify(value)
  return text === undefined ? undefined : JSON.parse(text)
}
