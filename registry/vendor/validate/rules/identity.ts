import { gt, prerelease, rcompare, valid } from 'semver'
import parseLicense from 'spdx-expression-parse'
import { pluginKeyword } from '../../../find/npm-search.ts'
import { resembled } from '../../../find/resembles.ts'
import type { Rule } from '../rule.ts'
import { type Subject, toObject } from '../subject.ts'

/** Names that administrators know; plugins that come with a site, and the packages of the project. */
export const officialNames: readonly string[] = [
  'core',
  'plugin-sdk',
  'registry',
  'sandbox',
  'plugin-emulated-cloud',
  'plugin-example-cloud',
  'plugin-first-fit',
  'plugin-least-loaded',
  'plugin-ldap',
  'plugin-local-identity',
  'plugin-oidc',
  'plugin-openstack',
  'plugin-per-user-account',
  'plugin-role-authorization',
  'plugin-single-account',
].map((name) => `@fogbow/${name}`)

const OFFICIAL_SCOPE = '@fogbow/'
const SHORTEST_DESCRIPTION = 20

const nameOf = ({ fields }: Subject) => String(fields.name ?? '')
const textOf = (value: unknown) => (typeof value === 'string' ? value.trim() : '')

export const identityRules: readonly Rule[] = [
  {
    name: 'name-not-official',
    severity: 'error',
    looksAt: 'package',
    reason: 'The scope belongs to the project, and a site trusts what carries it',
    remedy: 'Publish it under a scope of your own',
    check: (subject) =>
      nameOf(subject).startsWith(OFFICIAL_SCOPE) && !officialNames.includes(nameOf(subject))
        ? [`'${nameOf(subject)}' is in the scope of the project`]
        : [],
  },
  {
    name: 'name-not-confusable',
    severity: 'error',
    looksAt: 'package',
    reason: 'Whoever mistypes the name of an official plugin must not get another one',
    remedy: 'Choose a name that says what is different about it',
    check(subject) {
      const name = nameOf(subject)
      if (name.startsWith(OFFICIAL_SCOPE)) return []
      const other = resembled(name, officialNames)
      return other === undefined ? [] : [`'${name}' can be taken for '${other}'`]
    },
  },
  {
    name: 'version-released',
    severity: 'warning',
    looksAt: 'package',
    reason: 'Sites do not take prereleases unless they are asked for by name',
    remedy: 'Write a version without a hyphen once it is ready',
    check({ fields: { version } }) {
      const isEarly = typeof version === 'string' && valid(version) && prerelease(version)
      return isEarly ? [`${version} is a prerelease`] : []
    },
  },
  {
    name: 'version-is-new',
    severity: 'error',
    looksAt: 'package',
    reason: 'A published version never changes, and a site does not go back by itself',
    remedy: 'Raise the version: npm version patch, minor or major',
    async check(subject) {
      const version = String(subject.fields.version)
      if (valid(version) === null) return { skip: 'it has no version' }
      const published = await subject.publishedVersions()
      if (!Array.isArray(published)) return published
      const [newest] = [...published].sort(rcompare)
      return newest === undefined || gt(version, newest)
        ? []
        : [`${newest} is published already, and ${version} is not greater`]
    },
  },
  {
    name: 'keyword',
    severity: 'error',
    looksAt: 'package',
    reason: 'It is how plugins are found in npm registries',
    remedy: `Add "${pluginKeyword}" to keywords of package.json`,
    check: ({ fields: { keywords } }) =>
      Array.isArray(keywords) && keywords.includes(pluginKeyword)
        ? []
        : [`keywords does not have '${pluginKeyword}'`],
  },
  {
    name: 'description',
    severity: 'error',
    looksAt: 'package',
    reason: 'It is the one line that search results show',
    remedy: 'Say in a sentence which cloud or service it connects, and what for',
    check: ({ fields: { description } }) =>
      textOf(description).length >= SHORTEST_DESCRIPTION
        ? []
        : [`description has fewer than ${SHORTEST_DESCRIPTION} characters`],
  },
  {
    name: 'author',
    severity: 'warning',
    looksAt: 'package',
    reason: 'An administrator wants to know who answers for it',
    remedy: 'Write `"author": "Name <mail>"`',
    check: ({ fields: { author } }) =>
      textOf(author) || textOf(toObject(author).name) ? [] : ['author is not there'],
  },
  {
    name: 'repository',
    severity: 'warning',
    looksAt: 'package',
    reason: 'Whoever decides about it wants to read it, and provenance names it',
    remedy: 'Write `"repository": "https://…"`',
    check({ fields: { repository } }) {
      const url = textOf(repository) || textOf(toObject(repository).url)
      return url ? [] : ['repository is not there']
    },
  },
  {
    name: 'license-spdx',
    severity: 'error',
    looksAt: 'package',
    reason: 'Sites allow and deny licences by their SPDX names',
    remedy: 'Write an SPDX expression such as Apache-2.0 or (MIT OR GPL-3.0-only)',
    check({ fields: { license } }) {
      try {
        parseLicense(textOf(license))
        return []
      } catch {
        return [`license '${textOf(license)}' is no SPDX expression`]
      }
    },
  },
]
