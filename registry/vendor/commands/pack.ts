import { FogbowError } from '@fogbow/plugin-sdk'
import { readKeyFile } from '../key-file.ts'
import { packPlugin } from '../pack/pack-plugin.ts'
import { defineCommand } from './define-command.ts'

export const packCommand = defineCommand({
  synopsis: '[folder] --key FILE [--into FOLDER] [--site ID] [--json]',
  summary: 'Makes the tarball to publish, with a signature over every file and a bill of materials',
  help: `folder         of the plugin (this one)
--key FILE     secret key to sign with, as \`fogbow-plugin key\` makes it
--into FOLDER  where the tarball is put (this one)
--site ID      id of a site that alone may install it; may be repeated
--json         prints what was made as data
Then: npm publish FILE`,
  options: {
    key: { type: 'string' },
    into: { type: 'string' },
    site: { type: 'string', multiple: true },
    json: { type: 'boolean' },
  },
  mostPositionals: 1,
  async run({ positionals: [folder = '.'], text, texts, flag }) {
    const file = text('key')
    const into = text('into')
    const sites = texts('site')
    if (file === undefined)
      throw new FogbowError('invalid_parameter', 'pack needs --key; make one: fogbow-plugin key')
    const packed = await packPlugin({
      folder,
      key: await readKeyFile(file),
      ...(into !== undefined && { into }),
      ...(sites.length > 0 && { sites }),
    })
    const { files, integrity, bundleHash } = packed
    const lines = [packed.file, `${files.length} files, ${integrity}`, `bundle ${bundleHash}`]
    process.stdout.write(flag('json') ? `${JSON.stringify(packed)}\n` : `${lines.join('\n')}\n`)
    return 0
  },
})
