import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  globSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { debianPackages, openstackPackages, withoutStartingServices } from './debian-packages.ts'

/**
 * Runs every suite, each in a process of its own, and prints what each took and how much of the code they covered.
 * Installs what is missing first. Arguments name suites to run instead of all: `npm test -- unit system`.
 */

const root = join(import.meta.dirname, '..')
const coverage = join(root, 'coverage')
const LEAST_LINES_PERCENT = 85
/** Files of tests at once. */
const ROOM = 2

interface Suite {
  files: string
  /** How many of its files run at once. What mostly waits, for servers or for time, takes one and leaves room for another suite. */
  concurrency: 1 | 2
}

/** They begin in this order: of those that leave room the longest first, so that none is left alone at the end. */
const suites: Record<string, Suite> = {
  architecture: { files: 'test/architecture/**/*.test.ts', concurrency: 2 },
  'plugin-sdk': { files: 'plugin-sdk/**/*.test.ts', concurrency: 2 },
  sandbox: { files: 'sandbox/**/*.test.ts', concurrency: 2 },
  registry: { files: 'registry/**/*.test.ts', concurrency: 2 },
  core: { files: 'core/**/*.test.ts', concurrency: 2 },
  plugins: { files: 'plugins-official/**/*.test.ts', concurrency: 2 },
  wall: { files: 'test/sandbox/**/*.test.ts', concurrency: 2 },
  conformance: { files: 'test/conformance/**/*.test.ts', concurrency: 2 },
  system: { files: 'test/system/**/*.test.ts', concurrency: 2 },
  clouds: { files: 'test/clouds/**/*.test.ts', concurrency: 1 },
  federation: { files: 'test/federation/**/*.test.ts', concurrency: 1 },
  marketplace: { files: 'test/marketplace/**/*.test.ts', concurrency: 1 },
  identity: { files: 'test/identity/**/*.test.ts', concurrency: 1 },
  pages: { files: 'test/pages/**/*.test.ts', concurrency: 1 },
  sdks: { files: 'test/sdks/**/*.test.ts', concurrency: 1 },
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

interface Result {
  name: string
  ok: boolean
  seconds: number
}

/** @param output - a file, when another suite may be printing */
async function runSuite(name: string, { concurrency, files: pattern }: Suite, output?: string) {
  const exclude = (path: string) => path.includes('node_modules')
  const files = globSync(pattern, { cwd: root, exclude })
  if (files.length === 0) throw new Error(`${name}: no test files match ${pattern}`)
  const startedAt = performance.now()
  const file = output === undefined ? undefined : openSync(output, 'w')
  const child = spawn(
    process.execPath,
    ['--test', `--test-concurrency=${concurrency}`, '--test-reporter=spec', ...files],
    {
      cwd: root,
      stdio: ['ignore', file ?? 'inherit', file ?? 'inherit'],
      env: { ...process.env, NODE_V8_COVERAGE: join(coverage, 'tmp') },
    },
  )
  if (file !== undefined) closeSync(file)
  const [status] = await once(child, 'exit')
  return { name, ok: status === 0, seconds: (performance.now() - startedAt) / 1000 }
}

/** Begins each in its turn as soon as there is room; the output of suites side by side comes when they end. */
async function runSuites(names: readonly string[]): Promise<Result[]> {
  const running = new Set<Promise<Result>>()
  const results: Promise<Result>[] = []
  let room = ROOM
  for (const name of names) {
    const suite = suites[name] as Suite
    while (room < suite.concurrency) await Promise.race(running)
    room -= suite.concurrency
    const isAlone = suite.concurrency === ROOM || names.length === 1
    const output = isAlone ? undefined : join(coverage, `${name}.log`)
    console.log(`\n=== ${name}${output ? ' begins' : ''}`)
    const run = runSuite(name, suite, output).then((result) => {
      if (output) console.log(`\n=== ${name}\n${readFileSync(output, 'utf8')}`)
      running.delete(run)
      room += suite.concurrency
      return result
    })
    running.add(run)
    results.push(run)
  }
  return Promise.all(results)
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
const results = await runSuites(everything ? Object.keys(suites) : chosen)
console.log('\n=== coverage')
const covered = reportCoverage(everything)
console.log('\n=== suites')
for (const { name, ok, seconds } of results)
  console.log(`${ok ? 'passed' : 'FAILED'}  ${name.padEnd(14)} ${seconds.toFixed(1)} s`)
if (!covered && everything) console.log(`FAILED  coverage below ${LEAST_LINES_PERCENT} % of lines`)
const failed = results.filter(({ ok }) => !ok).length + (covered || !everything ? 0 : 1)
console.log(`\n${results.length - results.filter(({ ok }) => !ok).length} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
