/** Every Debian package that the tests need, and a file that tells whether it is there. */
export const debianPackages = [
  { name: 'chromium', provides: '/usr/bin/chromium' },
  { name: 'fonts-dejavu-core', provides: '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf' },
  // script(1), for what the command line does on a terminal
  { name: 'bsdutils', provides: '/usr/bin/script' },
  { name: 'bash', provides: '/usr/bin/bash' },
] as const
