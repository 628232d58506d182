import { createKeyFile, readPublicKey } from '../key-file.ts'
import { defineCommand } from './define-command.ts'

export const keyCommand = defineCommand({
  synopsis: '[file] [--show]',
  summary: 'Makes a key to sign packages and reports with, and prints its public text',
  help: `file     where the secret is kept, readable by its owner only (fogbow-vendor.key); never put it into a package
--show   prints the public text of a key that exists
Sites write the public text into marketplace.policy.publishers.NAME.keys.`,
  options: { show: { type: 'boolean' } },
  mostPositionals: 1,
  async run({ positionals: [file = 'fogbow-vendor.key'], flag }) {
    const key = flag('show') ? await readPublicKey(file) : await createKeyFile(file)
    if (!flag('show')) process.stderr.write(`The secret is in ${file}; the public text is:\n`)
    process.stdout.write(`${key.text}\n`)
    return 0
  },
})
