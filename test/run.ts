import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { debianPackages, openstackPackages, withoutStartingServices } from './debian-packages.ts'

/**
 * Runs every suite, each in a process of its own, and prints what each took and how much of the code they covered.
 * Installs what is missing first. Arguments name suites to run instead of all: `npm test -- unit system`.
 */

const root = join(import.meta.dirname, '..')
const coverage = join(root, 'coverage')
const LEAST_LINES_PERCENT = 85

const suites: Record<string, { files: string; concurrency: number }> = {
  architecture: { files: 'test/architecture/**/*.test.ts', concurrency: 2 },
  'plugin-sdk': { files: 'plugin-sdk/**/*.test.ts', concurrency: 2 },
  sandbox: { files: 'sandbox/**/*.test.ts', concurrency: 2 },
  registry: { files: 'registry/**/*.test.ts', concurrency: 2 },
  core: { files: 'core/**/*.test.ts', concurrency: 2 },
  plugins: { files: 'plugins-official/**/*.test.ts', concurrency: 2 },
  wall: { files: 'test/sandbox/**/*.test.ts', concurrency: 2 },
  conformance: { files: 'test/conformance/**/*.test.ts', concurrency: 2 },
  sdks: { files: 'test/sdks/**/*.test.ts', concurrency: 1 },
  system: { files: 'test/system/**/*.test.ts', concurrency: 2 },
  identity: { files: 'test/identity/**/*.test.ts', concurrency: 1 },
  pages: { files: 'test/pages/**/*.test.ts', concurrency: 1 },
  federation: { files: 'test/federation/**/*.test.ts', concurrency: 1 },
  marketplace: { files: 'test/marketplace/**/*.test.ts', concurrency: 1 },
  clouds: { files: 'test/clouds/**/*.test.ts', concurrency: 1 },
}

/** Suites that use what is no npm package. */
const needPackages = new Set([
  'core',
  'identity',
  'pages',
  'sdks',
  'federation',
  'marketplace',
  'clouds',
])

function installPackages(packages: readonly { name: string; provides: string }[]): void {
  const missing = packages.filter(({ provides }) => !existsSync(provides)).map(({ name }) => name)
  if (missing.length === 0) return
  console.log(`Installing ${missing.join(', ')}`)
  const startedAt = performance.now()
  const options = {
    stdio: ['ignore', 'ignore', 'inherit'] as const,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }
  try {
    withoutStartingServices(() => {
      const install = ['install', '-qq', '--no-install-recommends', ...missing]
      for (const args of [['update', '-qq'], install])
        execFileSync('apt-get', args, { ...options, stdio: [...options.stdio] })
    })
    console.log(`Installed in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  } catch {
    console.error(
      `Could not install ${missing.join(', ')}: as root on Debian 12 this works; elsewhere install them yourself.`,
    )
    process.exit(1)
  }
}

/** What is large and of no use to the product, so that only its suite brings it. */
const suitesWithPackages = ['sdks', 'marketplace']

function installPackagesOf(suite: string): void {
  const folder = join(root, 'test', suite)
  // Written at the end of an installation, and older than a lock file that changed since.
  const installed = join(folder, 'node_modules/.package-lock.json')
  const lock = join(folder, 'package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return
  console.log(`Installing the packages of test/${suite}`)
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

function runSuite(
  name: string,
  files: string[],
  concurrency: number,
): { name: string; ok: boolean; seconds: number } {
  console.log(`\n=== ${name}`)
  const startedAt = performance.now()
  const { status } = spawnSync(
    process.execPath,
    ['--test', `--test-concurrency=${concurrency}`, '--test-reporter=spec', ...files],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, NODE_V8_COVERAGE: join(coverage, 'tmp') },
    },
  )
  return { name, ok: status === 0, seconds: (performance.now() - startedAt) / 1000 }
}

function reportCoverage(check: boolean): boolean {
  const c8 = join(root, 'node_modules/c8/bin/c8.js')
  const includes = ['plugin-sdk', 'sandbox', 'registry', 'core', 'plugins-official'].flatMap(
    (folder) => ['--include', `${folder}/**`],
  )
  const excludes = [
    '**/*.test.ts',
    '**/testing/**',
    '**/fixtures/**',
    '**/node_modules/**',
  ].flatMap((pattern) => ['--exclude', pattern])
  const limit = check ? ['--check-coverage', '--lines', String(LEAST_LINES_PERCENT)] : []
  const { status } = spawnSync(
    process.execPath,
    [
      '--max-old-space-size=4096',
      c8,
      'report',
      '--temp-directory',
      join(coverage, 'tmp'),
      '--reporter',
      'text-summary',
      '--reporter',
      'json-summary',
      '--reports-dir',
      coverage,
      ...includes,
      ...excludes,
      ...limit,
    ],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
  )
  return status === 0
}

const chosen = process.argv.slice(2)
const unknown = chosen.filter((name) => !suites[name])
if (unknown.length > 0) {
  console.error(
    `No such suite: ${unknown.join(', ')}. Suites are ${Object.keys(suites).join(', ')}.`,
  )
  process.exit(2)
}
const everything = chosen.length === 0
const needed = [
  ...(everything || chosen.some((name) => needPackages.has(name)) ? debianPackages : []),
  ...(everything || chosen.includes('clouds') ? openstackPackages : []),
]
installPackages(needed)
for (const suite of suitesWithPackages)
  if (everything || chosen.includes(suite)) installPackagesOf(suite)
rmSync(coverage, { recursive: true, force: true })
mkdirSync(coverage, { recursive: true })
const results = (everything ? Object.keys(suites) : chosen).map((name) => {
  const suite = suites[name] as { files: string; concurrency: number }
  const files = globSync(suite.files, {
    cwd: root,
    exclude: (path) => path.includes('node_modules'),
  })
  if (files.length > 0) return runSuite(name, files, suite.concurrency)
  console.error(`=== ${name}: no test files match ${suite.files}`)
  return { name, ok: false, seconds: 0 }
})
console.log('\n=== coverage')
const covered = reportCoverage(everything)
console.log('\n=== suites')
for (const { name, ok, seconds } of results)
  console.log(`${ok ? 'passed' : 'FAILED'}  ${name.padEnd(14)} ${seconds.toFixed(1)} s`)
if (!covered && everything) console.log(`FAILED  coverage below ${LEAST_LINES_PERCENT} % of lines`)
const failed = results.filter(({ ok }) => !ok).length + (covered || !everything ? 0 : 1)
console.log(`\n${results.length - results.filter(({ ok }) => !ok).length} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
