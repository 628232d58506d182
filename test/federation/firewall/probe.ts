import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Machine } from './machine.ts'

const run = promisify(execFile)

/** What an address shows to somebody who knocks. */
export interface Seen {
  readonly address: string
  /** `tcp/5269` */
  readonly open: readonly string[]
  /** Ports that said no: nobody listens, but the machine is there. */
  readonly refused: number
  /** Ports from which nothing came back. */
  readonly silent: number
}

/** Names, time, management, NFS, VPNs, tunnels, and the ports of the federation. */
const UDP_PORTS = [
  53, 69, 111, 123, 137, 161, 500, 1194, 1701, 2049, 4500, 5269, 5347, 5353, 8080, 51820,
]
/** TCP ports, both included. */
export interface Ports {
  readonly first: number
  readonly last: number
}
const everyPort: Ports = { first: 1, last: 65535 }

/** How often it is knocked at an address. */
export const knocks = ({ first, last }: Ports = everyPort) => last - first + 1 + UDP_PORTS.length

/** Packets per second. Silence is read as fast as this; of thousands of answers some would be missed. */
const RATE = '120000'

/**
 * Knocks once at each TCP port, and at some of UDP. Packets are put on the cable as they are, so that rules of the machine
 * from which they come hold nothing back.
 * @param addresses - behind one interface, all IPv4 or all IPv6 with the interface behind `%`
 */
export async function probe(
  from: Machine,
  addresses: readonly string[],
  { first, last } = everyPort,
): Promise<Seen[]> {
  const family = addresses[0]?.includes(':') ? ['-6'] : []
  const how = ['-n', '-Pn', '--send-eth', '-sS', '-sU', '-p', `T:${first}-${last},U:${UDP_PORTS}`]
  const pace = ['--max-retries=0', `--min-rate=${RATE}`, `--min-hostgroup=${addresses.length}`]
  const command = ['nmap', ...family, ...how, ...pace, '-oX', '-', ...addresses]
  const [program = '', ...args] = [...from.through, ...command]
  const { stdout } = await run(program, args, { maxBuffer: 64 * 1024 * 1024 })
  return addresses.map((address) => readHost(stdout, address))
}

/** @param report - nmap's XML; states are `filtered`, for UDP `open|filtered`, when nothing came back */
function readHost(report: string, address: string): Seen {
  const shown = address.replace(/%.*/, '')
  const host = report
    .split('<host ')
    .slice(1)
    .find((part) => part.includes(`<address addr="${shown}"`))
  if (host === undefined) throw new Error(`nmap says nothing of ${address}:\n${report}`)
  let [refused, silent] = [0, 0]
  const open: string[] = []
  const note = (state: string, count: number, port?: string) => {
    if (state === 'open' && port) open.push(port)
    else if (state === 'closed') refused += count
    else if (state === 'filtered' || state === 'open|filtered') silent += count
    else throw new Error(`nmap says ${state} of ${count} ports of ${address}`)
  }
  for (const [, state = '', count] of host.matchAll(/<extraports state="([^"]+)" count="(\d+)"/g))
    note(state, Number(count))
  const ports = /<port protocol="(\w+)" portid="(\d+)"><state state="([^"]+)"/g
  for (const [, protocol, port, state = ''] of host.matchAll(ports))
    note(state, 1, `${protocol}/${port}`)
  return { address, open, refused, silent }
}
