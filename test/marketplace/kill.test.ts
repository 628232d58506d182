import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killRun } from './kill-run.ts'

const KILLS = 104
/** Sites beside each other: most of a life is its start. */
const SITES = 2

test(`${KILLS} kills at random points of plans, changes and rollbacks leave a site that runs what it says`, async (context) => {
  const runs = await Promise.all(
    Array.from({ length: SITES }, (_, n) => killRun({ kills: KILLS / SITES, seed: 20261122 + n })),
  )
  const sum = (of: (run: (typeof runs)[number]) => number) =>
    runs.reduce((total, run) => total + of(run), 0)
  const [plan, apply] = [sum((run) => run.killedIn.plan), sum((run) => run.killedIn.apply)]
  context.diagnostic(
    `${sum((run) => run.acknowledged)} changes; killed in ${plan} plans and ${apply} applications`,
  )
  assert.deepEqual(
    runs.flatMap(({ problems }) => problems),
    [],
  )
  assert.ok(Math.min(plan, apply) > KILLS / 8, 'both were met')
})
