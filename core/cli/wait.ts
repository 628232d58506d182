import { setTimeout as sleep } from 'node:timers/promises'
import type { OrderedKind } from '@fogbow/plugin-sdk'
import { InvalidArgumentError, Option } from 'commander'
import { CommandError, exitCodes } from './exit.ts'
import { toKebabCase } from './schema-options.ts'
import { fieldsOf, listOf, RefusedError, type SiteClient, UnreachableError } from './site-client.ts'
import { isFailed } from './table.ts'
import { printable, type Terminal } from './terminal.ts'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2000

export interface Waiting {
  site: SiteClient
  terminal: Terminal
  kind: OrderedKind
  /** Order to wait for. */
  id: string
  until: 'ready' | 'gone'
  timeoutMs: number
}

interface Instance {
  state: string
  name?: string
  faultMessage?: string
}

interface StatusEntry {
  instanceId: string
  state: string
}

export const waitOption = () => new Option('--wait', 'Wait for the outcome')
export const timeoutOption = () =>
  new Option('--timeout <seconds>', 'Longest wait').argParser(readSeconds).default(600)

/**
 * Waits until an order is ready or gone; shows its state meanwhile on a terminal.
 * @throws CommandError when it fails, time runs out or the user interrupts; the order itself goes on
 */
export async function waitFor(waiting: Waiting): Promise<void> {
  const { terminal, kind, id, timeoutMs } = waiting
  const begin = performance.now()
  const elapsedMs = () => performance.now() - begin
  const watch = createWatch(waiting)
  const interrupted = new AbortController()
  const interrupt = () => interrupted.abort()
  process.once('SIGINT', interrupt)
  const progress = terminal.showProgress(
    () => `${kind.title} ${id}: ${watch.state}, ${Math.round(elapsedMs() / 1000)} s`,
  )
  try {
    for (let pauseMs = FIRST_PAUSE_MS; !(await watch.isDone()); pauseMs *= 1.5) {
      progress.update()
      const leftMs = timeoutMs - elapsedMs()
      if (leftMs <= 0) throw timedOut(waiting, watch.state)
      const askedMs = watch.retryAfterMs ?? Math.min(pauseMs, LONGEST_PAUSE_MS)
      await sleep(Math.min(askedMs, leftMs), undefined, { signal: interrupted.signal })
    }
  } catch (error) {
    throw interrupted.signal.aborted ? interruption(waiting) : error
  } finally {
    progress.end()
    process.removeListener('SIGINT', interrupt)
  }
}

/**
 * Looks at one order as cheaply as the API allows: its instance at first and at the end, since that asks the cloud;
 * in between the status list, narrowed by name, which costs nothing while it is unchanged.
 */
function createWatch({ site, kind, id, until }: Waiting) {
  const path = `/ras/${kind.path}`
  let name: string | undefined
  let etag: string | undefined
  let lookClosely = true
  const watch = { state: 'not seen yet', retryAfterMs: undefined as number | undefined, isDone }
  return watch

  async function isDone(): Promise<boolean> {
    watch.retryAfterMs = undefined
    try {
      return lookClosely ? await lookAtInstance() : await lookAtList()
    } catch (error) {
      if (!isPassing(error)) throw error
      if (error instanceof RefusedError) watch.retryAfterMs = error.retryAfterMs
      return false
    }
  }

  async function lookAtInstance(): Promise<boolean> {
    const instance = await readInstance()
    if (!instance) {
      if (until === 'gone') return true
      throw new CommandError(exitCodes.failed, `${kind.title} ${id} was deleted meanwhile`)
    }
    watch.state = instance.state
    if (kind.request.properties.name && instance.name) name = instance.name
    if (until === 'ready' && isFailed(instance.state)) throw failure(kind, id, instance)
    lookClosely = false
    return until === 'ready' && instance.state === 'READY'
  }

  async function readInstance(): Promise<Instance | undefined> {
    try {
      return fieldsOf<Instance>(await site.send({ path: `${path}/${encodeURIComponent(id)}` }))
    } catch (error) {
      if (error instanceof RefusedError && error.status === 404) return undefined
      throw error
    }
  }

  async function lookAtList(): Promise<boolean> {
    const answer = await site.send({ path: `${path}/status`, query: { name }, etag })
    if (answer.status === 304) return false
    etag = answer.headers.get('etag') ?? undefined
    const entry = listOf<StatusEntry>(answer).find(({ instanceId }) => instanceId === id)
    watch.state = entry?.state ?? watch.state
    if (until === 'ready' && entry?.state === 'READY') return true
    lookClosely = entry === undefined || isFailed(entry.state)
    if (lookClosely) etag = undefined
    return lookClosely ? lookAtInstance() : false
  }
}

/** The site is away, overloaded or asks for patience: no reason to stop waiting. */
function isPassing(error: unknown): boolean {
  if (error instanceof UnreachableError) return true
  return error instanceof RefusedError && [429, 502, 503, 504].includes(error.status)
}

function failure(kind: OrderedKind, id: string, { state, faultMessage }: Instance): CommandError {
  const why = faultMessage ? `: ${printable(faultMessage)}` : ''
  const hint = `delete it with: fogbow ${toKebabCase(kind.name)} delete ${id}`
  return new CommandError(exitCodes.failed, `${kind.title} ${id} is ${state}${why}`, hint)
}

function timedOut({ kind, id, until, timeoutMs }: Waiting, state: string): CommandError {
  const message = `${kind.title} ${id} is not ${until} after ${timeoutMs / 1000} s: ${printable(state)}`
  return new CommandError(exitCodes.timedOut, message, goesOn(kind, id))
}

function interruption({ kind, id }: Waiting): CommandError {
  return new CommandError(exitCodes.interrupted, 'Interrupted', goesOn(kind, id))
}

function goesOn(kind: OrderedKind, id: string): string {
  return `it goes on; wait again with: fogbow ${toKebabCase(kind.name)} wait ${id}`
}

function readSeconds(text: string): number {
  const seconds = Number(text)
  if (text !== '' && seconds >= 0) return seconds
  throw new InvalidArgumentError('It must be a number of seconds.')
}
