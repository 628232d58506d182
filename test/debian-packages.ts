import { existsSync, rmSync, writeFileSync } from 'node:fs'

/** Every Debian package that the tests need beside those of the cloud below, and a file that tells whether it is there. */
export const debianPackages = [
  { name: 'chromium', provides: '/usr/bin/chromium' },
  { name: 'fonts-dejavu-core', provides: '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf' },
  // script(1), for what the command line does on a terminal
  { name: 'bsdutils', provides: '/usr/bin/script' },
  { name: 'bash', provides: '/usr/bin/bash' },
  // Directory and certificates for the SDKs of clouds and for log-ins; certificates of sites
  { name: 'slapd', provides: '/usr/sbin/slapd' },
  { name: 'openssl', provides: '/usr/bin/openssl' },
  // XMPP servers of sites; without lua-unbound the first call to a peer takes seconds
  { name: 'prosody', provides: '/usr/bin/prosody' },
  { name: 'lua-unbound', provides: '/usr/share/doc/lua-unbound' },
  { name: 'ejabberd', provides: '/usr/sbin/ejabberdctl' },
  // nft(8): the firewall rules that are written for sites
  { name: 'nftables', provides: '/usr/sbin/nft' },
  // ip(8), names that sites publish, and somebody who knocks: sites behind closed firewalls
  { name: 'iproute2', provides: '/usr/sbin/ip' },
  { name: 'unbound', provides: '/usr/sbin/unbound' },
  { name: 'nmap', provides: '/usr/bin/nmap' },
  // setpriv(1): servers run under their own account and end with the tests; unshare(1): they find names of their own
  { name: 'util-linux', provides: '/usr/bin/setpriv' },
  { name: 'mount', provides: '/usr/bin/mount' },
] as const

/** Services of OpenStack with database and message queue: large, and of use to the suite `clouds` alone. */
export const openstackPackages = [
  { name: 'python3-keystone', provides: '/usr/bin/keystone-manage' },
  { name: 'placement-common', provides: '/usr/bin/placement-manage' },
  { name: 'glance-common', provides: '/usr/bin/glance-wsgi-api' },
  { name: 'nova-common', provides: '/usr/bin/nova-api-wsgi' },
  { name: 'neutron-common', provides: '/usr/bin/neutron-server' },
  { name: 'cinder-common', provides: '/usr/bin/cinder-wsgi' },
  // What tests look at the cloud with.
  { name: 'python3-openstackclient', provides: '/usr/bin/openstack' },
  { name: 'python3-pymysql', provides: '/usr/lib/python3/dist-packages/pymysql' },
  { name: 'mariadb-server-core', provides: '/usr/sbin/mariadbd' },
  { name: 'mariadb-client-core', provides: '/usr/bin/mariadb' },
  { name: 'rabbitmq-server', provides: '/usr/lib/rabbitmq/bin/rabbitmq-server' },
  { name: 'uwsgi-core', provides: '/usr/bin/uwsgi-core' },
  { name: 'uwsgi-plugin-python3', provides: '/usr/share/doc/uwsgi-plugin-python3' },
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
