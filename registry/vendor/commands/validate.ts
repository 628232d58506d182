import { readPublicKey } from '../key-file.ts'
import { paint } from '../paint.ts'
import type { Rule } from '../validate/rule.ts'
import { rules } from '../validate/rules/index.ts'
import { type RuleResult, type Validation, validatePlugin } from '../validate/validate.ts'
import { defineCommand } from './define-command.ts'

export const validateCommand = defineCommand({
  synopsis: '[folder | tarball] [--key KEY] [--registry URL | --offline] [--strict] [--json]',
  summary: 'Checks what the marketplace and sites will check',
  help: `folder, tarball  of the plugin (this folder)
--key KEY        public text, or a file, of the key that must have signed a tarball
--registry URL   where it is published; as npm is configured when absent
--offline        asks no registry
--strict         warnings count as errors
--list           prints every rule, with its reason and remedy
--json           prints the results as data
The exit code is 1 when an error was found that is no exception in package.json.`,
  options: {
    key: { type: 'string' },
    registry: { type: 'string' },
    offline: { type: 'boolean' },
    strict: { type: 'boolean' },
    list: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  mostPositionals: 1,
  async run({ positionals: [source = '.'], text, flag }) {
    if (flag('list')) return listRules(flag('json'))
    const key = text('key')
    const registry = text('registry')
    const found = await validatePlugin(source, {
      offline: flag('offline'),
      ...(key !== undefined && { key: await readPublicKey(key) }),
      ...(registry !== undefined && { npm: { registry } }),
    })
    process.stdout.write(flag('json') ? `${JSON.stringify(found)}\n` : toText(found))
    return found.errors > 0 || (flag('strict') && found.warnings > 0) ? 1 : 0
  },
})

function listRules(asJson: boolean): number {
  const all = rules.map(({ name, severity, reason, remedy }) => ({
    name,
    severity,
    reason,
    remedy,
  }))
  const lines = all.map(
    ({ name, severity, reason, remedy }) => `${name} (${severity})\n  ${reason}\n  ${remedy}\n`,
  )
  process.stdout.write(asJson ? `${JSON.stringify(all)}\n` : lines.join('\n'))
  return 0
}

const marks = {
  error: ['✖', 'red'],
  warning: ['!', 'yellow'],
  ignored: ['~', 'dim'],
  skipped: ['–', 'dim'],
} as const

const byName: ReadonlyMap<string, Rule> = new Map(rules.map((rule) => [rule.name, rule]))

function toText(found: Validation): string {
  const { name, version, results, errors, warnings, ignored, skipped } = found
  const shown = results.filter(({ outcome }) => outcome !== 'passed').map(describe)
  const passed = results.length - errors - warnings - ignored - skipped
  const counts = `${errors} errors, ${warnings} warnings, ${ignored} ignored, ${skipped} not looked at, ${passed} passed`
  return `${name} ${version}\n${shown.join('')}${counts}\n`
}

function describe({ rule, severity, outcome, messages, exception }: RuleResult): string {
  const [mark, color] = marks[outcome === 'failed' || outcome === 'passed' ? severity : outcome]
  const { reason = '', remedy = '' } = byName.get(rule) ?? {}
  const why =
    outcome === 'failed'
      ? [reason, remedy]
      : exception === undefined
        ? []
        : [`ignored: ${exception}`]
  const lines = [...messages, ...why.map((text) => paint(text, 'dim', process.stdout))]
  return `  ${paint(mark, color, process.stdout)} ${rule}\n${lines.map((line) => `      ${line}\n`).join('')}`
}
