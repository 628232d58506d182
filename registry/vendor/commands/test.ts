import { FogbowError } from '@fogbow/plugin-sdk'
import type { CaseResult, Place } from '../../trust/conformance-report.ts'
import { signReport, writeReport } from '../conformance/report.ts'
import { type TestedPlugin, testPlugin } from '../conformance/test-plugin.ts'
import { readKeyFile } from '../key-file.ts'
import { paint } from '../paint.ts'
import { defineCommand } from './define-command.ts'

export const testCommand = defineCommand({
  synopsis: '[folder] [--json] [--no-sandbox] [--report FILE --key FILE]',
  summary: 'Runs the conformance cases of every kind that the plugin in a folder offers',
  help: `folder         of the plugin (this one)
--json         prints the results as data
--no-sandbox   in this process only, where time passes in an instant
--report FILE  writes the results there, signed
--key FILE     secret key to sign with, as \`fogbow-plugin key\` makes it
A report fogbow.conformance-report.json beside package.json goes into the package with \`fogbow-plugin pack\`.
Beside its package.json the file fogbow.conformance.json may hold config, secrets and samples.`,
  options: {
    json: { type: 'boolean' },
    sandbox: { type: 'boolean', default: true },
    report: { type: 'string' },
    key: { type: 'string' },
  },
  mostPositionals: 1,
  async run({ positionals: [folder = '.'], text, flag }) {
    const file = text('report')
    const key = file === undefined ? undefined : await readKeyFile(keyOf(text('key')))
    const report = createReport(flag('json') ? undefined : process.stdout)
    const tested = await testPlugin(
      folder,
      { onStart: (title) => report.write(`${title}\n`), onResult: report.result },
      { places: flag('sandbox') ? ['process', 'sandbox'] : ['process'] },
    )
    const counts = countOf(tested)
    if (flag('json')) process.stdout.write(`${JSON.stringify({ ...tested, ...counts })}\n`)
    report.write(
      `\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} not run (see –)\n`,
    )
    if (file !== undefined && key) await writeReport(file, signReport(tested, key, Date.now()))
    return counts.failed > 0 || counts.passed === 0 ? 1 : 0
  },
})

function keyOf(file: string | undefined): string {
  if (file !== undefined) return file
  throw new FogbowError('invalid_parameter', '--report needs --key: a report is signed')
}

function countOf({ results }: TestedPlugin) {
  const count = (outcome: string) => results.filter((result) => result.outcome === outcome).length
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') }
}

const marks = { passed: ['✔', 'green'], failed: ['✖', 'red'], skipped: ['–', 'yellow'] } as const
const titles: Record<Place, string> = { process: '', sandbox: ', in a sandbox' }

/** @param out - where to; undefined writes nothing */
function createReport(out: NodeJS.WriteStream | undefined) {
  let title = ''
  const write = (text: string) => out?.write(text)
  return {
    write,
    result(result: CaseResult) {
      if (!out) return
      const next = `${result.kind}${titles[result.place]}`
      if (next !== title) write(`\n${next}\n`)
      title = next
      const [mark, color] = marks[result.outcome]
      write(`  ${paint(mark, color, out)} ${result.name}\n`)
      if (result.reason) write(`${result.reason.replace(/^/gm, '      ')}\n`)
    },
  }
}
