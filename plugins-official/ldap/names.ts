import { Filter } from 'ldapts'

/** Puts values into a search filter; whatever they hold, they are values and never filter (RFC 4515, section 3). */
export function fillFilter(template: string, values: Readonly<Record<string, string>>): string {
  return fill(template, values, (value) => Filter.escape(value))
}

/** Puts values into a DN; whatever they hold, they stay the value of one attribute (RFC 4514, section 2.4). */
export function fillDn(template: string, values: Readonly<Record<string, string>>): string {
  return fill(template, values, escapeDn)
}

function fill(
  template: string,
  values: Readonly<Record<string, string>>,
  asValue: (value: string) => string,
): string {
  return template.replace(/\{(\w+)\}/g, (found, name: string) =>
    Object.hasOwn(values, name) ? asValue(values[name] ?? '') : found,
  )
}

function escapeDn(value: string): string {
  return value
    .replace(/[\\"+,;<>=]/g, '\\$&')
    .replaceAll('\0', '\\00')
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ')
}

/**
 * A DN in one form for all ways to write it: case of types and values, spaces around them, and how characters are
 * escaped do not count. Serves to compare, and is no DN any more.
 */
export function comparableDn(dn: string): string {
  return split(dn, ',')
    .map((rdn) => split(rdn, '+').map(comparablePair).sort().join('+'))
    .join(',')
}

/** Whether a DN is below another, at any depth. Both in comparable form. */
export function isBelow(dn: string, base: string): boolean {
  return dn.endsWith(`,${base}`)
}

/** The value of the first attribute of a DN, in comparable form: the name of a group. */
export function firstValue(dn: string): string {
  const [first = ''] = split(dn, ',')
  return comparableValue(first.slice(first.indexOf('=') + 1))
}

function comparablePair(pair: string): string {
  const at = pair.indexOf('=')
  return `${pair.slice(0, at).trim().toLowerCase()}=${comparableValue(pair.slice(at + 1))}`
}

/** With the escapes read, so that one character has one form; those that would end a value stay escaped. */
export function comparableValue(value: string): string {
  const bytes: number[] = []
  const encoder = new TextEncoder()
  for (const [part] of withoutEnds(value).matchAll(/\\[0-9A-Fa-f]{2}|\\?./gsu)) {
    const [, byte] = /^\\([0-9A-Fa-f]{2})$/.exec(part) ?? []
    if (byte) bytes.push(Number.parseInt(byte, 16))
    else bytes.push(...encoder.encode(part.replace(/^\\(?=.)/su, '')))
  }
  const text = new TextDecoder().decode(Uint8Array.from(bytes))
  const folded = text.normalize('NFC').toLowerCase().replace(/ +/g, ' ')
  // By number, so that no part of a value looks like what separates values.
  return folded.replace(/[\\,+]/g, (character) => `\\${character.charCodeAt(0).toString(16)}`)
}

/** Spaces around a value do not count, unless they are escaped. */
function withoutEnds(value: string): string {
  const text = value.trimStart()
  const end = text.trimEnd()
  return end.endsWith('\\') && end.length < text.length ? `${end} ` : end
}

function split(text: string, separator: string): string[] {
  const parts: string[] = ['']
  for (const [piece] of text.matchAll(/\\?./gsu)) {
    if (piece === separator) parts.push('')
    else parts[parts.length - 1] += piece
  }
  return parts
}
