import { type Command, InvalidArgumentError } from 'commander'
import { type CommandLine, connect, printResult } from '../command-line.ts'
import { fieldsOf } from '../site-client.ts'
import { formatFields, type Row } from '../table.ts'
import { printable } from '../terminal.ts'

/** Commands that work on this machine instead of asking a site: `fogbow start`, `config check`. */
export function addLocalCommands(program: Command, commandLine: CommandLine): void {
  program
    .command('start')
    .description('Run a site on this machine')
    .option('--config <file>', 'Configuration; searched from here upwards when absent')
    .option('--port <number>', 'Instead of the configured one; 0 takes a free one', readPort)
    .option('--data-dir <folder>', 'Instead of the configured one')
    .action(async (typed: { config?: string; port?: number; dataDir?: string }) => {
      const { main } = await import('../../main.ts')
      const { config: configFile, port, dataDir } = typed
      await main({
        ...(configFile !== undefined && { configFile }),
        ...(port !== undefined && { port }),
        ...(dataDir !== undefined && { dataDir }),
      })
    })

  program
    .command('config')
    .description('The configuration of a site')
    .command('check')
    .description('Read a configuration and say what is wrong with it')
    .argument('[file]', 'Searched from here upwards when absent')
    .action(async (file: string | undefined, _typed, command: Command) => {
      const { loadConfig } = await import('../../config/index.ts')
      const source = { env: commandLine.env, cwd: process.cwd() }
      const loaded = await loadConfig(file === undefined ? source : { ...source, file })
      const { config, dataDir } = loaded
      const found = {
        file: loaded.file,
        site: config.site.id,
        dataDir,
        listen: `${config.http.host}:${config.http.port}`,
        clouds: Object.keys(config.clouds),
        plugins: Object.keys(config.plugins),
      }
      printResult(commandLine, command, found, (fields) =>
        formatFields(commandLine.terminal, fields),
      )
    })
}

/** `fogbow doctor`: how well plugins can be kept apart, at the site or on this machine. */
export function addDoctor(program: Command, commandLine: CommandLine): void {
  const { terminal } = commandLine
  program
    .command('doctor')
    .description(
      'Show how plugins can be isolated by the site where you are logged in, else on this machine, and what is missing for more',
    )
    .option('--local', 'Look at this machine in any case')
    .action(async ({ local }: { local?: true }, command: Command) => {
      const site = await connect(commandLine, command)
      const found =
        site.loggedIn && !local
          ? { site: site.url, ...fieldsOf<Row>(await site.send({ path: '/ras/admin/isolation' })) }
          : await examineMachine()
      printResult(commandLine, command, found, ({ missing, ...fields }) =>
        [formatFields(terminal, fields), ...toList(missing)].join('\n'),
      )
    })
}

async function examineMachine(): Promise<Row> {
  const { detectIsolation, probeWorkerIsolation } = await import('@fogbow/sandbox')
  const about = { node: process.version, system: `${process.platform} ${process.arch}` }
  const problem = (error: Error) => error.message
  const worker = await probeWorkerIsolation().then(() => 'holds', problem)
  if (process.platform !== 'linux')
    return { ...about, worker, level: 'worker', missing: ['processes are isolated on Linux only'] }
  const { level, missing, refusal } = await detectIsolation()
  return refusal
    ? { ...about, worker, level: 'worker', missing: [refusal, ...missing] }
    : { ...about, worker, level, missing }
}

function toList(missing: unknown): string[] {
  if (!Array.isArray(missing) || missing.length === 0) return []
  return ['', 'Missing for more:', ...missing.map((what) => `- ${printable(String(what))}`)]
}

/** Where the site of this machine keeps its data: `--data-dir`, `FOGBOW_DATA_DIR`, the configuration. */
export async function findDataDir(
  { env }: CommandLine,
  typed: { dataDir?: string },
): Promise<string> {
  if (typed.dataDir ?? env.FOGBOW_DATA_DIR) return String(typed.dataDir ?? env.FOGBOW_DATA_DIR)
  const { loadConfig } = await import('../../config/index.ts')
  return (await loadConfig({ env, cwd: process.cwd() })).dataDir
}

export function addDataDir(command: Command): Command {
  return command.option(
    '--data-dir <folder>',
    'Data directory of the site; FOGBOW_DATA_DIR or the configured one when absent',
  )
}

function readPort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65535) return port
  throw new InvalidArgumentError('It must be a whole number from 0 to 65535.')
}
