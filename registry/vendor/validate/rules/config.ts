import { joinPath } from '@fogbow/plugin-sdk/validate'
import type { SchemaProblem } from '@fogbow/sandbox/gate'
import type { Rule } from '../rule.ts'
import { type Subject, toObject } from '../subject.ts'

interface Property {
  path: string
  name: string
  schema: Record<string, unknown>
}

/** Every property of the configuration schema, nested ones included. */
function propertiesOf(schema: Record<string, unknown>, path: string): Property[] {
  const named = Object.entries(toObject(schema.properties)).flatMap(([name, written]) => {
    const property = { path: joinPath(path, name), name, schema: toObject(written) }
    return [property, ...propertiesOf(property.schema, property.path)]
  })
  return [...named, ...itemsOf(schema, path)]
}

function itemsOf(schema: Record<string, unknown>, path: string): Property[] {
  return [schema.items, schema.additionalProperties]
    .filter((part) => typeof part === 'object' && part !== null)
    .flatMap((part) => propertiesOf(toObject(part), `${path}[]`))
}

const configOf = ({ manifest }: Subject) => toObject(manifest.config)
const allProperties = (subject: Subject) => propertiesOf(configOf(subject), 'fogbow.config')

const isAboutPattern = ({ key }: SchemaProblem) => /pattern(Properties)?$/.test(key)
const toMessage = ({ key, message }: SchemaProblem) =>
  `${joinPath('fogbow.config', key)} ${message}`

const secretName =
  /pass(word|phrase)|secret|(^|[a-z_-])(token|apikey)$|^token$|api_?key|access_?key|private_?key|credential/i

export const configRules: readonly Rule[] = [
  {
    name: 'config-schema',
    severity: 'error',
    looksAt: 'package',
    vital: true,
    reason:
      'A site checks settings with it before the plugin starts, and a bad schema checks nothing',
    remedy: 'Describe an object with the keywords of JSON Schema 2020-12 that plugins may use',
    async check(subject) {
      const problem = await subject.configProblem()
      return problem && !isAboutPattern(problem) ? [toMessage(problem)] : []
    },
  },
  {
    name: 'config-patterns',
    severity: 'error',
    looksAt: 'package',
    vital: true,
    reason: 'A pattern such as (a+)+ takes for ever with the right text, and the site waits',
    remedy: 'Repeat no group that repeats something itself, and refer back to none',
    async check(subject) {
      const problem = await subject.configProblem()
      return problem && isAboutPattern(problem) ? [toMessage(problem)] : []
    },
  },
  {
    name: 'config-closed',
    severity: 'warning',
    looksAt: 'package',
    reason: 'A typing error of an administrator would go unnoticed',
    remedy: 'Write `"additionalProperties": false`',
    check(subject) {
      const config = configOf(subject)
      const isOpen = 'config' in subject.manifest && config.additionalProperties === undefined
      return isOpen ? ['fogbow.config does not say what becomes of other keys'] : []
    },
  },
  {
    name: 'config-described',
    severity: 'error',
    looksAt: 'package',
    reason: 'Descriptions are what `fogbow plugin config` asks with, and its reference page',
    remedy: 'Give each property a `description` that says what it is for, with its unit',
    check: (subject) =>
      allProperties(subject)
        .filter(({ schema }) => !String(schema.description ?? '').trim())
        .map(({ path }) => `${path} has no description`),
  },
  {
    name: 'config-without-secrets',
    severity: 'error',
    looksAt: 'package',
    reason: 'Settings are shown, logged and stored in the clear',
    remedy: 'Name it in fogbow.capabilities.secrets and read it with host.secrets.get()',
    check: (subject) =>
      allProperties(subject)
        .filter(({ name, schema }) => secretName.test(name) && schema.type !== 'boolean')
        .map(({ path }) => `${path} looks like a secret`),
  },
  {
    name: 'config-defaults',
    severity: 'warning',
    looksAt: 'package',
    reason: 'A default that its own schema refuses keeps the plugin from starting',
    remedy: 'Correct the default, or the schema',
    async check(subject) {
      const schema = { ...configOf(subject), required: [] }
      if (!('config' in subject.manifest) || (await subject.configProblem())) return []
      const completed = await subject.complete(schema, {})
      if (!('settingsProblem' in completed)) return []
      const { key, message } = completed.settingsProblem
      return [`the default of ${joinPath('fogbow.config.properties', key)} ${message}`]
    },
  },
]
