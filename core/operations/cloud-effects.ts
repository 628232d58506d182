import { FogbowError } from '@fogbow/plugin-sdk'
import type { Effect } from './once.ts'
import type { Rule } from './providers.ts'

/** A snapshot may be copied for some minutes before it is listed as an image. */
const SNAPSHOT_SHOWS_WITHIN_MS = 300_000

export interface Image {
  readonly id: string
  readonly name: string
}

/** Each asking makes another image of the same name. */
export function snapshotTaking(
  name: string,
  cloud: { images?: () => Promise<readonly Image[]>; take(): Promise<void> },
): Effect<void> {
  const isIt = (image: Image) => image.name === name
  return {
    look: async () => (await cloud.images?.())?.filter(isIt).map(({ id }) => id),
    run: cloud.take,
    found: (before, now) =>
      firstNew(before, now) === undefined ? undefined : { result: undefined },
    showsWithinMs: SNAPSHOT_SHOWS_WITHIN_MS,
  }
}

/** Some clouds take a second rule that says the same. */
export function ruleMaking(
  rule: Readonly<Record<string, unknown>>,
  cloud: { rules(): Promise<readonly Rule[]>; make(): Promise<string> },
): Effect<string> {
  const isIt = (other: Rule) => Object.entries(rule).every(([name, value]) => other[name] === value)
  return {
    look: async () => (await cloud.rules()).filter(isIt).map(({ id }) => id),
    run: cloud.make,
    found(before, now) {
      const result = firstNew(before, now)
      return result === undefined ? undefined : { result }
    },
    showsWithinMs: 0,
  }
}

/** What was there, and is gone after an attempt at deleting it, was deleted by that. */
export function ruleDeletion(
  ruleId: string,
  parent: string,
  cloud: { rules(): Promise<readonly Rule[]>; remove(): Promise<void> },
): Effect<void> {
  const ids = async () => (await cloud.rules()).map(({ id }) => id)
  return {
    look: ids,
    async run() {
      if ((await ids()).includes(ruleId)) return cloud.remove()
      throw new FogbowError('instance_not_found', `${parent} has no security rule '${ruleId}'`)
    },
    found: (before, now) =>
      before.includes(ruleId) && !now.includes(ruleId) ? { result: undefined } : undefined,
  }
}

function firstNew(before: readonly string[], now: readonly string[]): string | undefined {
  return now.find((id) => !before.includes(id))
}
