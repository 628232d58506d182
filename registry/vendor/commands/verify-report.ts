import { FogbowError } from '@fogbow/plugin-sdk'
import { readReport } from '../conformance/report.ts'
import { readPublicKey } from '../key-file.ts'
import { defineCommand } from './define-command.ts'

export const verifyReportCommand = defineCommand({
  synopsis: 'FILE --key KEY [--bundle HASH]',
  summary: 'Says whether a conformance report is genuine, and what it is about',
  help: `FILE           as \`fogbow-plugin test --report\` writes it
--key KEY      public text of whoever must have signed it, or a file with it; may be repeated
--bundle HASH  SHA-256 of the bundle that it has to be about`,
  options: { key: { type: 'string', multiple: true }, bundle: { type: 'string' } },
  mostPositionals: 1,
  async run({ positionals: [file], texts, text }) {
    const given = texts('key')
    if (file === undefined || given.length === 0)
      throw new FogbowError('invalid_parameter', 'verify-report needs a FILE and a --key')
    const keys = await Promise.all(given.map(readPublicKey))
    const { plugin, sdkVersion, cases } = await readReport(file, keys, Date.now())
    const bundle = text('bundle')
    if (bundle !== undefined && bundle !== plugin.bundleHash)
      throw new FogbowError(
        'configuration_error',
        `Report '${file}' is about bundle ${plugin.bundleHash}, not ${bundle}`,
      )
    const failed = cases.filter(({ outcome }) => outcome === 'failed')
    const passed = cases.filter(({ outcome }) => outcome === 'passed')
    process.stdout.write(
      `${plugin.name} ${plugin.version}, bundle ${plugin.bundleHash}, SDK ${sdkVersion}: ` +
        `${passed.length} passed, ${failed.length} failed, ${cases.length - passed.length - failed.length} not run\n`,
    )
    return failed.length > 0 ? 1 : 0
  },
})
