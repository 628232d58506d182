import { parseArgs } from 'node:util'
import { type CaseResult, testPlugin } from './test-plugin.ts'

const usage = `Usage: fogbow-plugin test [folder] [--json]

Runs the conformance cases of every kind that the plugin in a folder (this one when absent) offers.
Beside its package.json the file fogbow.conformance.json may hold config, secrets and samples.
`

/** @returns the exit code */
export async function runCommand(args: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    })
    const [command, folder = '.', ...more] = positionals
    if (values.help || command !== 'test' || more.length > 0) {
      process[values.help ? 'stdout' : 'stderr'].write(usage)
      return values.help ? 0 : 1
    }
    return await test(folder, values.json === true)
  } catch (error) {
    process.stderr.write(`fogbow-plugin: ${error instanceof Error ? error.message : error}\n`)
    return 1
  }
}

async function test(folder: string, asJson: boolean): Promise<number> {
  const report = createReport(asJson ? undefined : process.stdout)
  const { name, version, results } = await testPlugin(folder, {
    onStart: (title) => report.write(`${title}\n`),
    onResult: report.result,
  })
  const count = (outcome: string) => results.filter((result) => result.outcome === outcome).length
  const counts = { passed: count('passed'), failed: count('failed'), skipped: count('skipped') }
  if (asJson) process.stdout.write(`${JSON.stringify({ name, version, ...counts, results })}\n`)
  report.write(
    `\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} not run (see –)\n`,
  )
  return counts.failed > 0 || counts.passed === 0 ? 1 : 0
}

const marks = { passed: ['✔', 32], failed: ['✖', 31], skipped: ['–', 33] } as const

/** @param out - where to; undefined writes nothing */
function createReport(out: NodeJS.WriteStream | undefined) {
  const paint = (text: string, color: number) =>
    out?.isTTY && !process.env.NO_COLOR ? `\x1b[${color}m${text}\x1b[0m` : text
  let kind = ''
  const write = (text: string) => out?.write(text)
  return {
    write,
    result(result: CaseResult) {
      if (result.kind !== kind) write(`\n${result.kind}\n`)
      kind = result.kind
      const [mark, color] = marks[result.outcome]
      write(`  ${paint(mark, color)} ${result.name}\n`)
      if (result.reason) write(`${result.reason.replace(/^/gm, '      ')}\n`)
    },
  }
}
