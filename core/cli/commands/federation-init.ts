import { join, resolve } from 'node:path'
import { FogbowError } from '@fogbow/plugin-sdk'
import { type Command, Option } from 'commander'
import { type CommandLine, printResult } from '../command-line.ts'
import { openComponentSecret } from '../federation/component-secret.ts'
import { keyBlock } from '../federation/key-block.ts'
import { lookAtMachine, serverKinds } from '../federation/machine.ts'
import { makePlan, type Plan, type TypedPlan } from '../federation/plan.ts'
import { SECRET_FILE } from '../federation/sections.ts'
import { nextSteps, setUpFiles } from '../federation/set-up.ts'
import { assertFree, writeFolder } from '../federation/write-folder.ts'
import { collect } from '../schema-options.ts'
import { addDataDir } from './local.ts'

interface TypedInit extends TypedPlan {
  out: string
  force?: true
  dataDir?: string
}

const DEFAULT_DATA_DIR = 'data'

/** `fogbow federation init`: everything that a new member needs, as files; changes nothing outside of two folders. */
export function addFederationInit(group: Command, commandLine: CommandLine): void {
  const command = group
    .command('init')
    .description('Write the configuration of the XMPP server, DNS records, firewall rules and keys')
  addDataDir(command)
    .option('--site-id <id>', 'Id of the site; that of the configuration, else fogbow.<domain>')
    .option('--domain <name>', 'Zone of the DNS records; what follows the first part of the id')
    .option('--address <ip>', 'Of the XMPP server, for other servers (repeatable)', collect)
    .option(
      '--listen <ip>',
      'Where it listens for them, when it is behind NAT (repeatable)',
      collect,
    )
    .option(
      '--component-address <ip>',
      'Of the XMPP server, for this host; 127.0.0.1 when both share a machine',
    )
    .option('--component-port <number>', 'There; 5347 when absent')
    .option('--host-address <ip>', 'Of this host, for the firewall of the XMPP server')
    .addOption(
      new Option('--server <kind>', 'XMPP server; what is installed here, else both').choices(
        serverKinds,
      ),
    )
    .option('--server-dir <folder>', 'Where the server keeps its files; the places of its package')
    .option('--certificate <file>', 'Of the XMPP server, as it finds it')
    .option('--key <file>', 'Of that certificate')
    .option(
      '--authority <file>',
      "Certificate of the federation's own authority; the system's when absent",
    )
    .option('--hosts <file>', 'Names that are in no DNS, for Prosody')
    .option(
      '--private-network <cidr>',
      'Of this host, into which nobody may dial: for the firewall of the router (repeatable)',
      collect,
    )
    .option(
      '--admin-network <cidr>',
      'From where the XMPP server may be administered (repeatable)',
      collect,
    )
    .option('--member <id>', 'Another member of the federation (repeatable)', collect)
    .option('--out <folder>', 'Where the files go', './federation')
    .option('--force', 'Write over files that are there')
    .action(async (typed: TypedInit, command: Command) => {
      const found = await readConfiguration(commandLine, typed)
      const plan = makePlan(typed, found.siteId, lookAtMachine())
      const result = await setUp(plan, typed, found.dataDir)
      for (const note of plan.notes) commandLine.terminal.notice(`note: ${note}`)
      printResult(commandLine, command, result, toText)
    })
}

interface SetUpResult {
  siteId: string
  jid: string
  folder: string
  files: string[]
  secretFile: string
  keys: readonly string[]
  nextSteps: string[]
}

async function setUp(plan: Plan, typed: TypedInit, dataDir: string): Promise<SetUpResult> {
  const { openSiteKeys } = await import('../../federation/trust/index.ts')
  const folder = resolve(typed.out)
  const names = setUpFiles(plan, '').map(({ name }) => name)
  await assertFree(typed.out, names, typed.force === true)
  const secretFile = join(dataDir, SECRET_FILE)
  await writeFolder(folder, setUpFiles(plan, await openComponentSecret(secretFile)))
  const { announced } = await openSiteKeys(dataDir)
  const { siteId, jid } = plan
  const steps = nextSteps(plan, typed.out)
  return { siteId, jid, folder, files: names, secretFile, keys: announced, nextSteps: steps }
}

/** What the configuration of this folder says; there may be none yet. */
async function readConfiguration(
  { env }: CommandLine,
  typed: TypedInit,
): Promise<{ siteId?: string; dataDir: string }> {
  const { loadConfig } = await import('../../config/index.ts')
  const given = typed.dataDir ?? env.FOGBOW_DATA_DIR
  try {
    const { config, dataDir } = await loadConfig({ env, cwd: process.cwd() })
    return { siteId: config.site.id, dataDir: resolve(given ?? dataDir) }
  } catch (error) {
    const isAbsent = error instanceof FogbowError && /no fogbow\.config/.test(error.message)
    if (!isAbsent) throw error
    return { dataDir: resolve(given ?? DEFAULT_DATA_DIR) }
  }
}

function toText({ siteId, jid, folder, files, secretFile, keys, nextSteps }: SetUpResult): string {
  return [
    `Site ${siteId}, component ${jid}`,
    `  files   ${folder}: ${files.join(', ')}`,
    `  secret  ${secretFile} (also in the configuration of the XMPP server: both are for you alone)`,
    '',
    'What is left to do:',
    ...nextSteps.map((step, n) => `  ${n + 1}. ${step}`),
    '',
    'What other members write into the section federation of their configuration:',
    '',
    keyBlock(siteId, keys),
  ].join('\n')
}
