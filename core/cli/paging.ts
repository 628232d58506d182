import { type Command, InvalidArgumentError } from 'commander'
import { listOf, type SiteClient, type SiteRequest } from './site-client.ts'
import type { Terminal } from './terminal.ts'

const PAGE = 100

/** Options of every command that lists. */
export function addPaging(command: Command): Command {
  return command
    .option('--limit <number>', 'Entries to show', readCount, PAGE)
    .option('--all', 'Show every entry')
}

/** Reads as many pages as were asked for; says on standard error when there is more. */
export async function readPages<Item>(
  site: SiteClient,
  terminal: Terminal,
  options: { limit: number; all?: boolean },
  request: SiteRequest,
): Promise<Item[]> {
  const items: Item[] = []
  let cursor: string | undefined
  do {
    const limit = options.all ? PAGE * 10 : Math.min(options.limit - items.length, PAGE * 10)
    const query = { ...request.query, limit, cursor }
    const answer = await site.send({ ...request, query })
    items.push(...listOf<Item>(answer))
    cursor = nextCursor(answer.headers)
  } while (cursor !== undefined && (options.all || items.length < options.limit))
  if (cursor !== undefined) terminal.notice(`The first ${items.length}; see the rest with --all`)
  return items
}

/** The cursor of the link to the next page (RFC 8288). */
function nextCursor(headers: Headers): string | undefined {
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(headers.get('link') ?? '')?.[1]
  if (target === undefined) return undefined
  return new URL(target, 'http://site').searchParams.get('cursor') ?? undefined
}

function readCount(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count > 0) return count
  throw new InvalidArgumentError('It must be a whole number from 1.')
}
