import { relative } from 'node:path'
import { parseArgs } from 'node:util'
import { contracts } from '@fogbow/plugin-sdk'
import { createPlugin, defaultKinds } from './create-plugin.ts'

const usage = `Usage: npm create fogbow-plugin NAME -- [--kind KIND …] [--folder FOLDER]

Writes a small plugin that works: code, tests, manifest, README and licence, to start from.

NAME             name of the npm package, such as @vendor/acme-cloud
--kind KIND      what it offers; may be repeated, or a list with commas (${defaultKinds.join(',')})
--folder FOLDER  where it is written; the last part of the name when absent

Kinds:
${Object.values(contracts)
  .map(({ kind, description }) => `  ${kind.padEnd(24)}${description}`)
  .join('\n')}
`

/** @returns the exit code */
export async function runCommand(args: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        kind: { type: 'string', multiple: true },
        folder: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    const [name, ...more] = positionals
    if (values.help || name === undefined || more.length > 0) {
      process[values.help ? 'stdout' : 'stderr'].write(usage)
      return values.help ? 0 : 1
    }
    const kinds = values.kind?.flatMap((text) => text.split(',')).filter((kind) => kind !== '')
    const { folder } = values
    const made = await createPlugin({
      name,
      ...(kinds && { kinds }),
      ...(folder !== undefined && { folder }),
    })
    process.stdout.write(nextSteps(made))
    return 0
  } catch (error) {
    process.stderr.write(`create-fogbow-plugin: ${(error as Error).message}\n`)
    return 1
  }
}

function nextSteps({ folder, files }: { folder: string; files: readonly string[] }): string {
  const path = relative(process.cwd(), folder)
  return `${files.length} files are in ${path || '.'}. Next:

  cd ${path || '.'}
  npm install
  npm test             the conformance cases, as unit tests
  npm run dev          a site with the plugin; changes are taken over
  npm run validate     what the marketplace will check
`
}
