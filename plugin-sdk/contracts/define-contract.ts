import type { Schema } from '../schema/json-schema.ts'

/** One method that a plugin offers. Parameters travel by position, as JSON. */
export interface MethodContract {
  /** One schema per parameter; checked before the call is sent and again before a plugin under test is called. */
  params: readonly { name: string; schema: Schema }[]
  /** Schema of the answer; absent when the method answers nothing. */
  result?: Schema
  /** Longest time that a call may take, ms. */
  timeoutMs: number
  /** An optional method may be left out; the operation behind it then answers `not_implemented`. */
  optional?: boolean
  description: string
}

/** What a plugin kind must be able to do. */
export interface Contract {
  /** Plugin kind, such as `compute` or `tokenGenerator`. */
  kind: string
  /** Grows with every incompatible change. */
  version: number
  description: string
  methods: Readonly<Record<string, MethodContract>>
}

export function defineContract<const C extends Contract>(contract: C): C {
  return contract
}
