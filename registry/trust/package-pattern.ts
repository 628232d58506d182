import { satisfies, validRange } from 'semver'

/** What a policy says about packages: `@scope/*`, `name`, `name@range`, or `*`. */
export interface PackagePattern {
  readonly text: string
  matches(name: string, version: string): boolean
}

const NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/

/** @returns a sentence about what is wrong with it */
export function readPackagePattern(text: string): PackagePattern | string {
  if (text === '*') return { text, matches: () => true }
  const scope = /^(@[a-z0-9~-][a-z0-9._~-]*)\/\*$/.exec(text)?.[1]
  if (scope) return { text, matches: (name) => name.startsWith(`${scope}/`) }
  const at = text.indexOf('@', 1)
  const name = at === -1 ? text : text.slice(0, at)
  const range = at === -1 ? '*' : text.slice(at + 1)
  if (!NAME.test(name)) return `'${text}' is none of \`name\`, \`name@range\`, \`@scope/*\`, \`*\``
  if (range === '' || validRange(range) === null) return `'${range}' is no range of versions`
  return {
    text,
    matches: (candidate, version) =>
      candidate === name && satisfies(version, range, { includePrerelease: true }),
  }
}
