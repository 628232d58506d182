import { satisfies } from 'semver'
import type { Rule } from '../rule.ts'
import { type Subject, toObject } from '../subject.ts'

/** In the README that `npm create fogbow-plugin` writes. */
export const TEMPLATE_MARK = '<!-- fogbow-plugin-template -->'

const SHORTEST_README = 200
const MOST_FILES = 1000
const MOST_BYTES = 8 * 1024 * 1024
const MIB = 1024 * 1024
const LONGEST_SHOWN = 5

const installScripts = ['preinstall', 'install', 'postinstall', 'prepublish', 'prepare']
const tests = /(^|\/)(tests?|__tests__|fixtures)\/|\.(test|spec)\.[cm]?[jt]sx?$/
const secrets =
  /(^|\/)(\.env(\..*)?|\.npmrc|\.netrc|id_(rsa|dsa|ecdsa|ed25519)|.*\.(pem|key|p12|pfx|jks|keystore|kdbx))$/i
const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----/
const stray =
  /(^|\/)(\.git|\.github|\.vscode|\.idea|coverage|\.nyc_output)\/|(^|\/)(\.DS_Store|Thumbs\.db|\.editorconfig|\.eslintrc.*|\.prettierrc.*|biome\.jsonc?|tsconfig.*\.json|package-lock\.json|yarn\.lock|pnpm-lock\.yaml|.*\.(tgz|log|tmp|swp|map|tsbuildinfo))$/

/** Paths outside of dependencies that were packed along. */
const ownPaths = ({ files }: Subject) =>
  [...files.keys()].filter((path) => !path.startsWith('node_modules/'))

const findRoot = (subject: Subject, name: RegExp) =>
  ownPaths(subject).find((path) => !path.includes('/') && name.test(path))

function named(paths: readonly string[], what: string): string[] {
  const shown = paths.slice(0, LONGEST_SHOWN).map((path) => `'${path}' ${what}`)
  const more = paths.length - shown.length
  return more > 0 ? [...shown, `and ${more} more`] : shown
}

export const contentRules: readonly Rule[] = [
  {
    name: 'license-file',
    severity: 'error',
    looksAt: 'package',
    reason: 'Most licences ask that their text goes along',
    remedy: 'Add a file LICENSE',
    check: (subject) =>
      findRoot(subject, /^(licen[sc]e|copying)(\..*)?$/i) ? [] : ['there is no file LICENSE'],
  },
  {
    name: 'readme',
    severity: 'error',
    looksAt: 'package',
    reason: 'It is what an administrator reads before deciding',
    remedy: 'Write a README.md: what it connects, how it is configured, what it needs',
    check(subject) {
      const path = findRoot(subject, /^readme(\.md|\.txt)?$/i)
      if (path === undefined) return ['there is no README.md']
      const { length } = (subject.text(path) ?? '').trim()
      return length < SHORTEST_README
        ? [`${path} has ${length} characters, fewer than ${SHORTEST_README}`]
        : []
    },
  },
  {
    name: 'readme-own',
    severity: 'error',
    looksAt: 'package',
    reason: 'The text of the template says nothing about this plugin',
    remedy: `Rewrite README.md, and take out the line ${TEMPLATE_MARK}`,
    check(subject) {
      const path = findRoot(subject, /^readme(\.md|\.txt)?$/i)
      const isTemplate = path !== undefined && subject.text(path)?.includes(TEMPLATE_MARK)
      return isTemplate ? [`${path} is that of the template`] : []
    },
  },
  {
    name: 'changelog',
    severity: 'warning',
    looksAt: 'package',
    reason: 'It is shown beside the plan of an upgrade',
    remedy: 'Add a CHANGELOG.md with a section for this version',
    check(subject) {
      const path = findRoot(subject, /^changelog(\.md|\.txt)?$/i)
      if (path === undefined) return ['there is no CHANGELOG.md']
      const version = String(subject.fields.version)
      return subject.text(path)?.includes(version) ? [] : [`${path} does not name ${version}`]
    },
  },
  {
    name: 'no-install-scripts',
    severity: 'error',
    looksAt: 'package',
    reason: 'Sites run no script of a package, so that whatever depends on one does not work',
    remedy: 'Take it out; publish what it would have made',
    check: ({ fields }) =>
      installScripts
        .filter((name) => name in toObject(fields.scripts))
        .map((name) => `scripts.${name} would run at installation`),
  },
  {
    name: 'no-native-addons',
    severity: 'error',
    looksAt: 'package',
    vital: true,
    reason: 'Native code cannot be confined, and no site loads it',
    remedy: 'Use JavaScript, or WebAssembly that is packed as text',
    check(subject) {
      const paths = [...subject.files.keys()].filter((path) =>
        /(^|\/)binding\.gyp$|\.(node|so|dylib|dll)$/i.test(path),
      )
      return named(paths, 'is native code')
    },
  },
  {
    name: 'no-secret-files',
    severity: 'error',
    looksAt: 'package',
    reason: 'What is published cannot be taken back',
    remedy: 'Leave it out with `files` of package.json, and replace whatever was in it',
    check(subject) {
      const keys = ownPaths(subject).filter((path) => privateKey.test(subject.text(path) ?? ''))
      const paths = ownPaths(subject).filter((path) => secrets.test(path) || keys.includes(path))
      return named(paths, 'looks like a secret')
    },
  },
  {
    name: 'no-tests',
    severity: 'warning',
    looksAt: 'package',
    reason: 'Tests are not used where it is installed',
    remedy: 'List in `files` of package.json what is needed',
    check: (subject) =>
      named(
        ownPaths(subject).filter((path) => tests.test(path)),
        'is a test',
      ),
  },
  {
    name: 'no-stray-files',
    severity: 'warning',
    looksAt: 'package',
    reason: 'Whoever looks at the package has to look at these as well',
    remedy: 'List in `files` of package.json what is needed',
    check: (subject) =>
      named(
        ownPaths(subject).filter((path) => stray.test(path)),
        'is not needed',
      ),
  },
  {
    name: 'no-packed-dependencies',
    severity: 'warning',
    looksAt: 'package',
    reason: 'Advisories and licences of what is packed along are found less easily',
    remedy: 'Take out bundleDependencies; sites fetch dependencies themselves',
    check({ files, fields }) {
      const { bundleDependencies = fields.bundledDependencies } = fields
      const isAsked =
        bundleDependencies === true || Object.keys(bundleDependencies ?? {}).length > 0
      const isDone = [...files.keys()].some((path) => path.startsWith('node_modules/'))
      return isAsked || isDone ? ['dependencies are packed along (bundleDependencies)'] : []
    },
  },
  {
    name: 'size',
    severity: 'error',
    looksAt: 'package',
    reason: 'Sites keep several versions, and bundle each at installation',
    remedy: 'Pack only what is imported',
    check({ files }) {
      const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0)
      const problems = []
      if (files.size > MOST_FILES) problems.push(`${files.size} files, more than ${MOST_FILES}`)
      if (bytes > MOST_BYTES)
        problems.push(`${(bytes / MIB).toFixed(1)} MiB, more than ${MOST_BYTES / MIB}`)
      return problems
    },
  },
  {
    name: 'portable-paths',
    severity: 'error',
    looksAt: 'package',
    vital: true,
    reason: 'Some machines tell neither case nor these characters apart, and unpacking refuses it',
    remedy: 'Name files with letters, digits, dots, hyphens and underscores, and not twice',
    check({ files }) {
      const paths = [...files.keys()]
      const odd = paths.filter((path) => !/^[\w@.+~ /()[\]$,-]+$/.test(path))
      const folded = paths.map((path) => path.toLowerCase())
      const twice = paths.filter((_, index) => folded.indexOf(folded[index] ?? '') !== index)
      return [...named(odd, 'is no portable name'), ...named(twice, 'differs in case only')]
    },
  },
  {
    name: 'engines',
    severity: 'warning',
    looksAt: 'package',
    reason: 'npm would refuse or warn at a site whose Node is a newer one',
    remedy: 'Take out engines.node; a plugin runs in a sandbox, whatever Node there is',
    check({ fields }) {
      const range = toObject(fields.engines).node
      const excludes = typeof range === 'string' && !satisfies('26.0.0', range)
      return excludes ? [`engines.node '${range}' excludes the Node of sites`] : []
    },
  },
]
