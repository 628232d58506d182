import { existsSync, rmSync, writeFileSync } from 'node:fs'

/** Every Debian package that the tests need, and a file that tells whether it is there. */
export const debianPackages = [
  { name: 'chromium', provides: '/usr/bin/chromium' },
  { name: 'fonts-dejavu-core', provides: '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf' },
  // script(1), for what the command line does on a terminal
  { name: 'bsdutils', provides: '/usr/bin/script' },
  { name: 'bash', provides: '/usr/bin/bash' },
  // Directory and certificates for the SDKs of clouds; certificates of sites
  { name: 'slapd', provides: '/usr/sbin/slapd' },
  { name: 'openssl', provides: '/usr/bin/openssl' },
  // XMPP servers of sites; without lua-unbound the first call to a peer takes seconds
  { name: 'prosody', provides: '/usr/bin/prosody' },
  { name: 'lua-unbound', provides: '/usr/share/doc/lua-unbound' },
  { name: 'ejabberd', provides: '/usr/sbin/ejabberdctl' },
  // gives ejabberd names that the machine does not have
  { name: 'libnss-wrapper', provides: '/usr/share/doc/libnss-wrapper' },
  // nft(8): the firewall rules that are written for sites
  { name: 'nftables', provides: '/usr/sbin/nft' },
  // setpriv(1): servers run under their own account and end with the tests
  { name: 'util-linux', provides: '/usr/bin/setpriv' },
] as const

const POLICY = '/usr/sbin/policy-rc.d'
/** "Action forbidden", by Debian's policy for such scripts. */
const FORBID = '#!/bin/sh\nexit 101\n'

/**
 * Runs an installation during which no package may start its services: tests start the servers that they need, with
 * configurations of their own. A policy that the machine already has stays as it is.
 */
export function withoutStartingServices(install: () => void): void {
  const hasPolicy = existsSync(POLICY)
  if (!hasPolicy) writeFileSync(POLICY, FORBID, { mode: 0o755 })
  try {
    install()
  } finally {
    if (!hasPolicy) rmSync(POLICY)
  }
}
