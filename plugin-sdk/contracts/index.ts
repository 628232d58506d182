import { aaaContracts } from './aaa.ts'
import { cloudContracts } from './cloud.ts'
import type { Contract, MethodContract } from './define-contract.ts'
import { healthContract } from './health.ts'
import { loginContract } from './login.ts'
import { placementContract } from './placement.ts'

/** Every plugin kind and what it must be able to do. */
export const contracts: Readonly<Record<string, Contract>> = {
  ...aaaContracts,
  login: loginContract,
  ...cloudContracts,
  placement: placementContract,
  health: healthContract,
}

export const pluginKinds: readonly string[] = Object.keys(contracts)

/** @param method - `kind.method`, as it travels to the sandbox */
export function methodContract(method: string): MethodContract | undefined {
  const [kind = '', name = ''] = method.split('.')
  const methods = contracts[kind]?.methods
  return methods && Object.hasOwn(methods, name) ? methods[name] : undefined
}
