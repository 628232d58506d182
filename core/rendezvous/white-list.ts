import { readFile } from 'node:fs/promises'
import { FogbowError } from '@fogbow/plugin-sdk'
import { isMemberJid } from '../federation/membership/index.ts'
import type { Log } from '../federation/xmpp/index.ts'

/** Who may be a member. */
export interface WhiteList {
  contains(jid: string): boolean
  /** Whether everybody is on it: then being on it means nothing. */
  readonly isOpen: boolean
  /** Reads it. @throws configuration_error when that is not possible: nobody is let in by a mistake */
  load(): Promise<void>
  /** Reads it again. What cannot be read leaves it as it was. @returns whether it changed */
  check(): Promise<boolean>
}

/** `anybody` has to be written out: nothing else, and no mistake, ever means it. */
export type WrittenWhiteList =
  | { readonly list: readonly string[] }
  | { readonly file: string }
  | { readonly anybody: true }

const MOST_MEMBERS = 100_000

export interface WhiteListParts {
  readonly written: WrittenWhiteList
  readonly log: Log
  readonly read?: (path: string) => Promise<string>
}

export function createWhiteList({
  written,
  log,
  read = (path) => readFile(path, 'utf8'),
}: WhiteListParts): WhiteList {
  const isOpen = 'anybody' in written
  const file = 'file' in written ? written.file : undefined
  let members: ReadonlySet<string> = new Set()
  let lastText: string | undefined
  let lastProblem: string | undefined

  async function take(path: string): Promise<boolean> {
    const text = await read(path)
    if (text === lastText) return false
    members = parse(text, path)
    lastText = text
    return true
  }

  return {
    isOpen,
    contains: (jid) => isOpen || members.has(jid),
    async load() {
      if ('list' in written) members = parse(written.list.join('\n'), 'members.list')
      if (file === undefined) return
      try {
        await take(file)
      } catch (cause) {
        if (cause instanceof FogbowError) throw cause
        const why = cause instanceof Error ? cause.message : String(cause)
        throw problem(file, `it cannot be read: ${why}`)
      }
    },
    async check() {
      if (file === undefined) return false
      try {
        const changed = await take(file)
        lastProblem = undefined
        if (changed) log.info({ file, members: members.size }, 'the list of members was read again')
        return changed
      } catch (err) {
        const why = err instanceof Error ? err.message : String(err)
        if (why !== lastProblem)
          log.error({ err, file }, 'the list of members cannot be read: the one before still holds')
        lastProblem = why
        return false
      }
    },
  }
}

/** One JID in each line; what follows a `#` is a remark. */
function parse(text: string, where: string): Set<string> {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim().toLowerCase())
  const names = lines.filter((line) => line !== '')
  const wrong = names.find((name) => !isMemberJid(name))
  if (wrong !== undefined) throw problem(where, `'${wrong.slice(0, 80)}' is no JID of a member`)
  if (names.length > MOST_MEMBERS) throw problem(where, `it has more than ${MOST_MEMBERS} lines`)
  return new Set(names)
}

function problem(where: string, why: string): FogbowError {
  return new FogbowError('configuration_error', `List of members ${where}: ${why}`)
}
