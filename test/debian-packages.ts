/** Every Debian package that the tests need, and the file that tells whether it is there. */
export const debianPackages = [{ name: 'chromium', provides: '/usr/bin/chromium' }] as const
