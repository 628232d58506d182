import { join } from 'node:path'
import { siteConfig } from '../support/site-process.ts'

type Settings = Record<string, Record<string, unknown>>

export const contraryCloud = join(import.meta.dirname, '../fixtures/contrary-cloud')
export const emulatedCloud = join(import.meta.dirname, '../../../plugins-official/emulated-cloud')

/** The configuration of a test site with some of its keys replaced, entry by entry. */
export function siteSettings(changes: Record<string, unknown>): string {
  const settings = JSON.parse(siteConfig().replace('export default', '')) as Settings
  for (const [key, value] of Object.entries(changes)) settings[key] = merged(settings[key], value)
  return `export default ${JSON.stringify(settings)}\n`
}

/** Two levels deep: one key of one plugin can be replaced, and clouds as a whole. */
function merged(before: unknown, change: unknown): Record<string, unknown> {
  if (!isRecord(before) || !isRecord(change)) return change as Record<string, unknown>
  const result: Record<string, unknown> = { ...before }
  for (const [key, value] of Object.entries(change)) {
    const old = result[key]
    result[key] = isRecord(old) && isRecord(value) ? { ...old, ...value } : value
  }
  return result
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
