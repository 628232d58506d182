import type { Command } from 'commander'

/** `fogbow rendezvous`: where the sites of a federation find each other, as a process of its own. */
export function addRendezvousCommand(program: Command): void {
  program
    .command('rendezvous')
    .description('Run a rendezvous on this machine, where sites find each other')
    .option('--config <file>', 'Configuration; rendezvous.config.* from here upwards when absent')
    .action(async ({ config }: { config?: string }) => {
      const { main } = await import('../../rendezvous/main.ts')
      await main(config === undefined ? {} : { configFile: config })
    })
}
