import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')

/** Workspace → the packages of ours that it may import. */
const workspaces: Record<string, readonly string[]> = {
  'plugin-sdk': [],
  sandbox: ['@fogbow/plugin-sdk'],
  registry: ['@fogbow/plugin-sdk', '@fogbow/sandbox'],
  core: ['@fogbow/plugin-sdk', '@fogbow/sandbox', '@fogbow/registry'],
  'plugins-official': ['@fogbow/plugin-sdk'],
}

/** Folder of `core` → the folders of `core` that it may import. Types count like everything else. */
const folders: Record<string, readonly string[]> = {
  config: [],
  store: ['config'],
  telemetry: [],
  federation: ['config', 'store', 'orders', 'operations'],
  rendezvous: ['config', 'federation', 'telemetry'],
  identity: [],
  plugins: ['config', 'store'],
  aaa: ['config', 'store', 'plugins'],
  marketplace: ['config', 'store', 'plugins'],
  clouds: ['config', 'plugins', 'aaa', 'orders'],
  orders: ['config', 'store'],
  operations: ['config', 'store', 'aaa', 'clouds', 'orders', 'plugins', 'marketplace'],
  http: ['operations', 'orders'],
  cli: ['config', 'identity', 'federation', 'rendezvous', 'marketplace', 'main.ts'],
}

/** The files that may import every folder. */
const roots = new Set(['core/site.ts', 'core/main.ts', 'core/index.ts'])

interface Import {
  file: string
  specifier: string
}

const sources = globSync(['{plugin-sdk,sandbox,registry,core,plugins-official}/**/*.{ts,mjs}'], {
  cwd: root,
})
  .filter((file) => !file.includes('node_modules') && !file.includes('fixtures'))
  .map((file) => file.split(sep).join('/'))

const imports: Import[] = sources.flatMap((file) => {
  const text = readFileSync(join(root, file), 'utf8')
  const found = text.matchAll(
    /^\s*(?:import|export)\s[^'"]*?from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|^import\s+['"]([^'"]+)['"]/gm,
  )
  return [...found].map((match) => ({ file, specifier: match[1] ?? match[2] ?? match[3] ?? '' }))
})

test('the sources and their imports are found', () => {
  assert.ok(sources.length > 50, `only ${sources.length} files`)
  assert.ok(
    imports.some(
      ({ file, specifier }) => file === 'core/site.ts' && specifier === './aaa/index.ts',
    ),
  )
})

test('a workspace imports only the workspaces that its layer allows', () => {
  const wrong = imports.filter(({ file, specifier }) => {
    if (!specifier.startsWith('@fogbow/')) return false
    const workspace = file.split('/')[0] ?? ''
    const name = specifier.split('/').slice(0, 2).join('/')
    const own =
      workspace === 'plugins-official'
        ? `@fogbow/plugin-${file.split('/')[1]}`
        : `@fogbow/${workspace}`
    return name !== own && !workspaces[workspace]?.includes(name) && !isTestOf(file, name)
  })
  assert.deepEqual(wrong, [])
})

/** Tests of official plugins run them as the site does. */
function isTestOf(file: string, name: string): boolean {
  return (
    file.endsWith('.test.ts') && file.startsWith('plugins-official/') && name === '@fogbow/sandbox'
  )
}

test('a relative import never leaves its workspace', () => {
  const wrong = imports.filter(({ file, specifier }) => {
    if (!specifier.startsWith('.')) return false
    const depth = file.startsWith('plugins-official/') ? 2 : 1
    const home = file.split('/').slice(0, depth).join('/')
    return relative(home, normalize(join(dirname(file), specifier))).startsWith('..')
  })
  assert.deepEqual(wrong, [])
})

test('a folder of core imports only the folders that its layer allows', () => {
  const wrong = imports.filter(({ file, specifier }) => {
    if (!file.startsWith('core/') || roots.has(file) || !specifier.startsWith('.')) return false
    const from = file.split('/')[1] ?? ''
    const to = normalize(join(dirname(file), specifier)).split(sep)[1] ?? ''
    return (
      from !== to &&
      !folders[from]?.includes(to) &&
      !file.endsWith('.test.ts') &&
      !file.includes('/testing/')
    )
  })
  assert.deepEqual(wrong, [])
})

test('code that runs beside a plugin never leans on Node', () => {
  const wrong = imports.filter(
    ({ file, specifier }) =>
      /^sandbox\/(guest\/prelude|rpc)\//.test(file) &&
      !file.endsWith('.test.ts') &&
      specifier.startsWith('node:'),
  )
  assert.deepEqual(wrong, [])
})

test('the plugin SDK uses Node only in the kit for vendors', () => {
  const wrong = imports.filter(
    ({ file, specifier }) =>
      file.startsWith('plugin-sdk/') &&
      !/^plugin-sdk\/(testing|create-fogbow-plugin)\//.test(file) &&
      !file.endsWith('.test.ts') &&
      specifier.startsWith('node:'),
  )
  assert.deepEqual(wrong, [])
})

test('every folder with code tells in a README what lives there', () => {
  const needed = [
    ...Object.keys(workspaces),
    ...Object.keys(folders).map((folder) => `core/${folder}`),
  ]
  const present = new Set(
    globSync('**/README.md', { cwd: root, exclude: (name) => name === 'node_modules' }).map(
      (file) => dirname(file).split(sep).join('/'),
    ),
  )
  assert.deepEqual(
    needed.filter((folder) => !present.has(folder)),
    [],
  )
})
