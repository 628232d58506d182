import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, FogbowError, invalid, schema } from '@fogbow/plugin-sdk'
import { joinPath, validatorFor } from '@fogbow/plugin-sdk/validate'
import { validRange } from 'semver'
import { replaceFile } from '../installed/durable-file.ts'
import { type HeededRevocation, type Revocation, revocationActions } from '../marketplace.ts'
import type { SignedSource, SignedSources } from './signed-source.ts'

/** Type of the signed document: `{revocations: Revocation[]}`. */
export const revocationListType = 'fogbow-revocations'

const revocationSchema = schema({
  type: 'object',
  additionalProperties: false,
  required: ['package', 'versions', 'action', 'reason', 'since'],
  properties: {
    package: { type: 'string', minLength: 1, maxLength: 214 },
    versions: { type: 'string', minLength: 1, maxLength: 256 },
    hash: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    action: { type: 'string', enum: revocationActions },
    reason: { type: 'string', minLength: 1, maxLength: 1024 },
    url: { type: 'string', maxLength: 1024 },
    since: { type: 'string', format: 'date-time' },
  },
})

const listSchema = schema({
  type: 'object',
  required: ['revocations'],
  properties: { revocations: { type: 'array', maxItems: 10_000, items: revocationSchema } },
})

/** What was revoked, by whomever this site believes. */
export interface Revocations {
  /** `stale`: lists that ended, or that nobody ever got. */
  heeded(): Promise<{ heeded: HeededRevocation[]; stale: string[] }>
  /** What this site tells others. */
  own(): Promise<Revocation[]>
  /** Replaces what this site said of the same package and versions. */
  revoke(revocation: unknown): Promise<void>
  /** @throws not_found */
  withdraw(name: string, versions: string): Promise<void>
  /** What a member says now, in place of all that it said before; kept also while it is not believed. */
  receive(member: string, revocations: unknown): Promise<void>
  refresh(): Promise<{ source: string; problem: string }[]>
}

export interface RevocationsOptions {
  /** Holds what this site and members said. */
  folder: string
  documents: SignedSources
  lists(): readonly SignedSource[]
  /** Members that this site believes, by their ids. */
  believed(): readonly string[]
  clock: Pick<Clock, 'now'>
}

export function createRevocations(options: RevocationsOptions): Revocations {
  const { folder, documents } = options
  const ownFile = join(folder, 'own.json')
  const memberFile = (member: string) => join(folder, `member-${encodeURIComponent(member)}.json`)
  let writing: Promise<unknown> = Promise.resolve()

  function inTurn(work: () => Promise<void>): Promise<void> {
    const done = writing.then(work)
    writing = done.catch(() => {})
    return done
  }

  async function write(path: string, revocations: readonly Revocation[]): Promise<void> {
    await mkdir(folder, { recursive: true })
    await replaceFile(path, `${JSON.stringify({ revocations }, null, 2)}\n`)
  }

  async function ofLists(): Promise<{ heeded: HeededRevocation[]; stale: string[] }> {
    const heeded: HeededRevocation[] = []
    const stale: string[] = []
    for (const list of options.lists()) {
      const { content } = await documents.read(list)
      const said = content && readList(content)
      if (!said) stale.push(list.name)
      else heeded.push(...said.map((one) => ({ ...one, source: list.name })))
    }
    return { heeded, stale }
  }

  async function ofMembers(): Promise<HeededRevocation[]> {
    const said = await Promise.all(
      options.believed().map(async (member) => {
        const revocations = await readFileOf(memberFile(member))
        return revocations.map((one) => ({ ...one, source: `member:${member}` }))
      }),
    )
    return said.flat()
  }

  const own = () => readFileOf(ownFile)

  return {
    own,
    async heeded() {
      const { heeded, stale } = await ofLists()
      const ofThisSite = (await own()).map((one) => ({ ...one, source: 'this site' }))
      return { heeded: [...ofThisSite, ...heeded, ...(await ofMembers())], stale }
    },
    revoke: (revocation) =>
      inTurn(async () => {
        const since = new Date(options.clock.now()).toISOString()
        const added = toRevocation({ since, ...(revocation as object) })
        await write(ownFile, [...without(await own(), added.package, added.versions), added])
      }),
    withdraw: (name, versions) =>
      inTurn(async () => {
        const before = await own()
        const after = without(before, name, versions)
        if (after.length === before.length) {
          const message = `This site has not revoked ${name}@${versions}`
          throw new FogbowError('not_found', message)
        }
        await write(ownFile, after)
      }),
    receive: (member, revocations) =>
      inTurn(async () => {
        const said = readList({ revocations })
        if (!said) throw invalid('revocations', `of member ${member} cannot be read`)
        await write(memberFile(member), said)
      }),
    async refresh() {
      const lists = options.lists()
      const readings = await Promise.all(lists.map((list) => documents.refresh(list)))
      return readings.flatMap(({ problem }, index) =>
        problem === undefined ? [] : [{ source: lists[index]?.name ?? '', problem }],
      )
    },
  }
}

/** @returns undefined when any entry cannot be understood: half a list would let through what the other half forbids */
function readList(content: unknown): Revocation[] | undefined {
  if (validatorFor(listSchema)(content)) return undefined
  const { revocations } = content as { revocations: Revocation[] }
  return revocations.every(({ versions }) => validRange(versions) !== null)
    ? revocations
    : undefined
}

/** @throws invalid_parameter naming the field */
function toRevocation(written: unknown): Revocation {
  const problem = validatorFor(revocationSchema)(written)
  if (problem) throw invalid(joinPath('', problem.field) || 'revocation', problem.message)
  const revocation = written as Revocation
  if (validRange(revocation.versions) !== null) return revocation
  throw invalid('versions', `'${revocation.versions}' is no range of versions`)
}

function without(revocations: Revocation[], name: string, versions: string): Revocation[] {
  return revocations.filter((one) => one.package !== name || one.versions !== versions)
}

async function readFileOf(path: string): Promise<Revocation[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return []
  const revocations = readList(JSON.parse(text))
  if (revocations) return revocations
  const remedy = 'restore it from a backup, or move it away and revoke anew'
  throw new FogbowError('configuration_error', `${path} cannot be used; ${remedy}`)
}
