import { parentPort } from 'node:worker_threads'
import type { Schema } from '@fogbow/plugin-sdk'
import { completerFor, type Validator } from '@fogbow/plugin-sdk/validate'
import { dataProblem, type SchemaProblem, schemaProblem } from './schema-rules.ts'

/** JSON texts: nothing else passes between the threads. */
export interface SchemaTask {
  schema: string
  /** Absent: only the schema is looked at. */
  settings?: string
}

export type SchemaAnswer =
  | { ok: true; settings?: unknown }
  /** The vendor's mistake. */
  | { schemaProblem: SchemaProblem }
  /** The administrator's mistake. */
  | { settingsProblem: SchemaProblem }

const MAX_SETTINGS_LENGTH = 1_048_576

function perform({ schema, settings }: SchemaTask): SchemaAnswer {
  const problem = schemaProblem(schema)
  if (problem) return { schemaProblem: problem }
  let complete: Validator
  try {
    complete = completerFor(JSON.parse(schema) as Schema)
  } catch (error) {
    return { schemaProblem: { key: '', message: `is no usable JSON Schema: ${toText(error)}` } }
  }
  return settings === undefined ? tryOut(complete) : completed(complete, settings)
}

/** What takes for ever with nothing configured is found at installation already. */
function tryOut(complete: Validator): SchemaAnswer {
  try {
    complete({})
    return { ok: true }
  } catch (error) {
    return { schemaProblem: { key: '', message: `cannot be applied: ${toText(error)}` } }
  }
}

function completed(complete: Validator, text: string): SchemaAnswer {
  const settings: unknown = JSON.parse(text)
  const unsafe = dataProblem(settings, '', 0)
  if (unsafe) return { settingsProblem: unsafe }
  try {
    const problem = complete(settings)
    if (problem)
      return { settingsProblem: { key: problem.field, message: problem.message.slice(0, 500) } }
  } catch (error) {
    return { schemaProblem: { key: '', message: `cannot be applied: ${toText(error)}` } }
  }
  if (JSON.stringify(settings).length <= MAX_SETTINGS_LENGTH) return { ok: true, settings }
  const message = `is longer than ${MAX_SETTINGS_LENGTH} characters with its defaults`
  return { settingsProblem: { key: '', message } }
}

function toText(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500)
}

parentPort?.on('message', (task: SchemaTask) => {
  parentPort?.postMessage(JSON.stringify(perform(task)))
})
parentPort?.postMessage('ready')
