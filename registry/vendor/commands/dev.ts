import { once } from 'node:events'
import { FogbowError } from '@fogbow/plugin-sdk'
import { startDevSite } from '../dev/dev-site.ts'
import { defineCommand } from './define-command.ts'

export const devCommand = defineCommand({
  synopsis: '[folder] [--port NUMBER]',
  summary: 'Runs a site with the plugin of a folder, and takes over every change of its files',
  help: `folder         of the plugin (this one)
--port NUMBER  where the site listens (a free port)
The plugin serves the kinds that it offers, official plugins all the others. Its settings and secrets are those of
fogbow.conformance.json. Everything that the site keeps is gone when it ends.`,
  options: { port: { type: 'string' } },
  mostPositionals: 1,
  async run({ positionals: [folder = '.'], text }) {
    const site = await startDevSite({
      folder,
      port: readPort(text('port') ?? '0'),
      onLine: (line) => process.stdout.write(`${line}\n`),
    })
    const lines = [
      `  administrator  ${site.user}`,
      `  password       ${site.password}`,
      `  changes        of ${folder} are taken over; end with Ctrl-C`,
    ]
    process.stdout.write(`${lines.join('\n')}\n`)
    const asked = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
    const ending = await Promise.race([asked.then(() => 0), site.ended.then(() => 1)])
    await site.stop()
    return ending
  },
})

function readPort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65535) return port
  throw new FogbowError('invalid_parameter', '--port must be a whole number from 0 to 65535')
}
