import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { invalid, schema, type TypeOf } from '@fogbow/plugin-sdk'
import { validatorFor } from '@fogbow/plugin-sdk/validate'
import { replaceFile } from '../installed/durable-file.ts'
import type { Candidate } from './candidate.ts'

const vettedSchema = schema({
  type: 'array',
  maxItems: 10_000,
  items: {
    type: 'object',
    required: ['package', 'version', 'level'],
    properties: {
      package: { type: 'string', maxLength: 214 },
      version: { type: 'string', maxLength: 256 },
      integrity: { type: 'string', maxLength: 128 },
      level: { type: 'string', maxLength: 32 },
    },
  },
})

/** A version that a member runs, and how far it trusts it. */
export type Vetted = TypeOf<typeof vettedSchema>[number]

/** What members that this site believes run. It never lets anything in; people read it before they decide. */
export interface MemberVetting {
  /** What a member says now, in place of all that it said before. */
  receive(member: string, vetted: unknown): Promise<void>
  /** Members that run exactly these bytes, each with its level. */
  of(candidate: Pick<Candidate, 'name' | 'version' | 'integrity'>): Promise<string[]>
}

/** @param believed - members that this site believes, by their ids */
export function createMemberVetting(
  folder: string,
  believed: () => readonly string[],
): MemberVetting {
  const fileOf = (member: string) => join(folder, `vetted-${encodeURIComponent(member)}.json`)

  async function saidBy(member: string): Promise<Vetted[]> {
    const text = await readFile(fileOf(member), 'utf8').catch(() => '[]')
    return JSON.parse(text) as Vetted[]
  }

  return {
    async receive(member, vetted) {
      if (validatorFor(vettedSchema)(vetted))
        throw invalid('vetted', `of member ${member} cannot be read`)
      await mkdir(folder, { recursive: true })
      await replaceFile(fileOf(member), `${JSON.stringify(vetted)}\n`)
    },
    async of({ name, version, integrity }) {
      const found = await Promise.all(
        believed().map(async (member) => {
          const same = (await saidBy(member)).find(
            (one) => one.package === name && one.version === version && one.integrity === integrity,
          )
          return same && integrity !== undefined ? [`${member} (${same.level})`] : []
        }),
      )
      return found.flat()
    },
  }
}
