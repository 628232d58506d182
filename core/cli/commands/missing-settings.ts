import type { InstanceSettings, PackageChange, SettingsCheck } from '@fogbow/registry'
import type { CommandLine } from '../command-line.ts'
import { CommandError, exitCodes } from '../exit.ts'
import { formatRows, type Row } from '../table.ts'
import { printable, type Terminal } from '../terminal.ts'

/**
 * Asks for the settings and secrets that a plugin misses; an empty answer leaves one out.
 * @returns undefined when nothing was typed
 */
export async function askForMissing(
  terminal: Terminal,
  { instance, missing, secrets, descriptions }: SettingsCheck,
): Promise<InstanceSettings | undefined> {
  const config: Record<string, unknown> = {}
  for (const key of missing) {
    const about = Object.hasOwn(descriptions, key) ? ` (${printable(descriptions[key] ?? '')})` : ''
    const answer = await terminal.ask(`plugins.${instance}.config.${printable(key)}${about}: `)
    if (answer.trim()) config[key] = readValue(answer.trim())
  }
  const references: Record<string, string> = {}
  for (const name of secrets) {
    const question = `plugins.${instance}.secrets.${printable(name)} (env:NAME or file:path, never the secret): `
    const answer = await terminal.ask(question)
    if (answer.trim()) references[name] = answer.trim()
  }
  const typed = {
    ...(Object.keys(config).length > 0 && { config }),
    ...(Object.keys(references).length > 0 && { secrets: references }),
  }
  return Object.keys(typed).length > 0 ? typed : undefined
}

/** Secrets that a version before did without are not asked for at each upgrade. */
export function onlyNewSecrets(
  check: SettingsCheck,
  { capabilities }: PackageChange,
): SettingsCheck {
  const isNew = (secret: string) => capabilities.added.includes(`secret ${secret}`)
  return { ...check, secrets: check.secrets.filter(isNew) }
}

/** What somebody wrote as a value: JSON, or a text. */
export function readValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A line for each thing that is missing. */
export function toMissingText({ terminal }: CommandLine, check: SettingsCheck): string {
  const { instance, missing, secrets, unknown, descriptions, problem } = check
  const rows: Row[] = [
    ...missing.map((key) => ({
      missing: `config.${key}`,
      set: `${key}=…`,
      description: Object.hasOwn(descriptions, key) ? descriptions[key] : '',
    })),
    ...secrets.map((name) => ({
      missing: `secrets.${name}`,
      set: `--secret ${name}=env:NAME`,
      description: 'Asked for; it may do without',
    })),
  ]
  const notes = [
    ...unknown.map((key) => `config.${key} is set, and not known to it`),
    ...(problem === undefined ? [] : [problem]),
  ]
  if (rows.length + notes.length === 0)
    return `Nothing is missing; what else can be set: fogbow plugin reference ${instance}`
  const table =
    rows.length > 0 ? [formatRows(terminal, ['missing', 'set', 'description'], rows)] : []
  return [...table, ...notes.map(printable)].join('\n')
}

export function incomplete(name: string, { missing, secrets }: SettingsCheck): CommandError {
  const keys = missing.map((key) => `config.${printable(key)}`)
  const given = missing.map((key) => `${printable(key)}=…`)
  const references = secrets.map((secret) => `--secret ${printable(secret)}=env:NAME`)
  return new CommandError(
    exitCodes.failed,
    `Plugin '${name}' does not start without ${keys.join(', ')}, and nobody can be asked here`,
    `fogbow plugin config ${name} ${[...given, ...references].join(' ')}`,
  )
}
