import type { Command } from 'commander'
import { type CommandLine, printResult } from '../command-line.ts'
import { keyBlock } from '../federation/key-block.ts'
import { formatRows, type Row } from '../table.ts'
import { addDataDir } from './local.ts'

/** `fogbow federation key …`: the keys under which others know the site on this machine. */
export function addFederationKeys(group: Command, commandLine: CommandLine): void {
  const { terminal } = commandLine
  const keys = group.command('key').description('Keys of the site on this machine')

  addDataDir(keys.command('show'))
    .description('Show the public keys, as other members write them into their configuration')
    .action(async (typed: { dataDir?: string }, command: Command) => {
      const { siteId, dataDir } = await findSite(commandLine, typed)
      const rows = toRows(await openKeys(dataDir))
      printResult(commandLine, command, { siteId, keys: rows }, () => {
        const table = formatRows(terminal, ['use', 'kid'], rows)
        return `${table}\n\n${keyBlock(
          siteId,
          rows.map(({ key }) => key),
        )}`
      })
    })

  addDataDir(keys.command('next'))
    .description(
      'Make the key that signs next, so that members learn it while the present one signs',
    )
    .action(async (typed: { dataDir?: string }, command: Command) => {
      const { dataDir } = await findSite(commandLine, typed)
      const key = await (await openKeys(dataDir)).announceNext()
      printResult(commandLine, command, { next: key }, ({ next }) => next)
      terminal.notice(
        'A running site announces this key within seconds, and the one that comes next for encryption, with everything it signs. Members that pin their keys need to be told both: fogbow federation key show. When all know them: fogbow federation key rotate',
      )
    })

  addDataDir(keys.command('rotate'))
    .description('Sign with the next key from now on; the former one stays valid until --finish')
    .option('--finish', 'Let members forget the former key')
    .action(async (typed: { dataDir?: string; finish?: true }, command: Command) => {
      const { dataDir } = await findSite(commandLine, typed)
      const site = await openKeys(dataDir)
      if (typed.finish) await site.dropFormer()
      else await site.takeNext()
      printResult(commandLine, command, toRows(site), (rows) =>
        formatRows(terminal, ['use', 'kid'], rows),
      )
      terminal.notice(
        typed.finish
          ? 'A running site forgets the former keys within seconds'
          : 'A running site signs with the new key within seconds. After a day, when all members have heard of it: fogbow federation key rotate --finish',
      )
    })
}

async function openKeys(dataDir: string) {
  const { openSiteKeys } = await import('../../federation/trust/index.ts')
  return openSiteKeys(dataDir)
}

/** Keys are made at the first start; asking for them makes them too. */
function toRows(keys: Awaited<ReturnType<typeof openKeys>>) {
  const { announced, signing, encryption, decryption, next } = keys
  return announced.map((key) => {
    const kid = key.slice(0, key.indexOf(':'))
    return { use: useOf(kid), kid, key } satisfies Row
  })

  function useOf(kid: string): string {
    if (kid === signing.kid) return 'signs'
    if (kid === encryption.kid) return 'is encrypted to'
    if (decryption.some((key) => key.kid === kid))
      return next === undefined ? 'was encrypted to before' : 'is encrypted to next'
    return next === undefined ? 'signed before' : 'signs next'
  }
}

async function findSite(
  { env }: CommandLine,
  typed: { dataDir?: string },
): Promise<{ siteId: string; dataDir: string }> {
  const { loadConfig } = await import('../../config/index.ts')
  const source = { env, cwd: process.cwd() }
  const { config, dataDir } = await loadConfig(
    typed.dataDir === undefined ? source : { ...source, dataDir: typed.dataDir },
  )
  return { siteId: config.site.id, dataDir }
}
