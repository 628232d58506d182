import type { Machine } from './machine.ts'

/** Counts packets, and holds none back. It looks before any rule of a firewall does. */
export interface Watch {
  /** Packets that matched, since the start. */
  count(name: string): number
}

/** @param matches - of nft(8), by name */
export function startWatch(machine: Machine, matches: Readonly<Record<string, string>>): Watch {
  const names = Object.keys(matches)
  const rules = Object.entries(matches).map(([name, match]) => `${match} counter name ${name}`)
  machine.run(
    ['nft', '-f', '-'],
    `table inet watch {
  ${names.map((name) => `counter ${name} {}`).join('\n  ')}
  chain arriving {
    # After connections are told from each other, before anything is dropped.
    type filter hook prerouting priority mangle; policy accept;
    ${rules.join('\n    ')}
  }
}
`,
  )
  return {
    count(name) {
      const said = machine.run(['nft', '-j', 'list', 'counter', 'inet', 'watch', name])
      const { nftables } = JSON.parse(said) as { nftables: { counter?: { packets: number } }[] }
      const counter = nftables.find((each) => each.counter)?.counter
      if (!counter) throw new Error(`${machine.title} counts no ${name}`)
      return counter.packets
    },
  }
}
