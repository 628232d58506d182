import { hash } from 'node:crypto'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { asFogbowError, type Clock, FogbowError } from '@fogbow/plugin-sdk'
import { replaceFile } from '../installed/durable-file.ts'
import type { SignedDocument } from '../marketplace.ts'
import { openDocument } from './signed-document.ts'
import type { VerifyingKey } from './signing-key.ts'

/** Where a catalogue or a revocation list is published. */
export interface SignedSource {
  /** As the configuration calls it. */
  readonly name: string
  /** Type that the document has to have. */
  readonly type: string
  /** Absolute path, or an `https:` or `http:` URL. */
  readonly place: string
  readonly keys: readonly VerifyingKey[]
}

type Content = SignedDocument<Record<string, unknown>>['signed']

/** What is known of a source: its last good document, or why there is none. */
export type Reading =
  | { content: Content; problem?: undefined }
  | { content?: undefined; problem: string }

/** Documents of others, kept on disk so that they serve without a network. */
export interface SignedSources {
  /** The document that was had last, as far as it still holds: no network is used for it. */
  read(source: SignedSource): Promise<Reading>
  /** Gets it anew. What was had before stays when the new one is not believed or not to be had. */
  refresh(source: SignedSource): Promise<Reading>
}

export interface SignedSourceOptions {
  /** Holds what was had. */
  folder: string
  clock: Pick<Clock, 'now'>
  /** Defaults to the global `fetch`. */
  fetch?: (url: string, init: { signal: AbortSignal; redirect: 'error' }) => Promise<Response>
}

const MOST_BYTES = 64 * 1024 * 1024
const PATIENCE_MS = 30_000

/** The largest sequence number outlives its document: an older document never comes back. */
interface Kept {
  document: unknown
  sequence: number
}

export function createSignedSources({
  folder,
  clock,
  fetch = globalThis.fetch,
}: SignedSourceOptions): SignedSources {
  const fileOf = ({ type, name }: SignedSource) =>
    join(folder, `${type}-${hash('sha256', name).slice(0, 16)}.json`)

  /** Documents are large and read often: what was verified stays so for this file and these keys, until it ends. */
  const verified = new Map<string, { stamp: string; content: Content }>()

  async function readVerified(source: SignedSource): Promise<Content | undefined> {
    const file = fileOf(source)
    const stats = await stat(file).catch(() => undefined)
    if (!stats) return undefined
    const { ino, size, mtimeMs } = stats
    const stamp = [ino, size, mtimeMs, ...source.keys.map(({ text }) => text)].join(' ')
    const before = verified.get(file)
    if (before?.stamp === stamp && Date.parse(before.content.expiresAt) > clock.now())
      return before.content
    const found = await kept(source).catch(() => undefined)
    if (!found) return undefined
    const content = open(source, found.document)
    verified.set(file, { stamp, content })
    return content
  }

  async function kept(source: SignedSource): Promise<Kept | undefined> {
    const text = await readFile(fileOf(source), 'utf8').catch(() => undefined)
    return text === undefined ? undefined : (JSON.parse(text) as Kept)
  }

  function open(source: SignedSource, document: unknown, lastSequence = 0): Content {
    const { type, keys, place } = source
    const origin = `'${source.name}' (${place})`
    return openDocument(document, { origin, type, keys, now: clock.now(), lastSequence })
  }

  async function getAnew(source: SignedSource): Promise<Content> {
    const document = parse(source, await readPlace(source.place, fetch))
    const content = open(source, document, (await kept(source))?.sequence)
    await mkdir(folder, { recursive: true })
    const keep: Kept = { document, sequence: content.sequence }
    await replaceFile(fileOf(source), JSON.stringify(keep))
    return content
  }

  return {
    async read(source) {
      return toReading(async () => {
        const content = await readVerified(source)
        if (content) return content
        throw new FogbowError('not_found', `'${source.name}' was never read`)
      })
    },
    refresh: (source) => toReading(() => getAnew(source)),
  }
}

async function toReading(work: () => Promise<Content>): Promise<Reading> {
  try {
    return { content: await work() }
  } catch (error) {
    return { problem: asFogbowError(error).message }
  }
}

async function readPlace(
  place: string,
  fetch: NonNullable<SignedSourceOptions['fetch']>,
): Promise<string> {
  try {
    if (!/^https?:/.test(place)) return await readFile(place, 'utf8')
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const response = await fetch(place, { signal, redirect: 'error' })
    if (!response.ok) throw new Error(`it answered ${response.status}`)
    return await readBody(response)
  } catch (cause) {
    const problem = `${place} cannot be read: ${(cause as Error).message}`
    throw new FogbowError('unavailable_provider', problem, { cause })
  }
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > MOST_BYTES) throw new Error(`it is larger than ${MOST_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse({ name, place }: SignedSource, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const message = `'${name}' (${place}) is no JSON: ${(cause as Error).message}`
    throw new FogbowError('configuration_error', message, { cause })
  }
}
