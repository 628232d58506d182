import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killRun } from './kill-run.ts'

const KILLS = 200

test(`${KILLS} kills at random points lose no acknowledged order, duplicate no instance and leave none behind`, async (context) => {
  const result = await killRun({ kills: KILLS, longestLifeMs: 400, seed: 20261122 })
  context.diagnostic(
    `${result.kills} kills, ${result.acknowledged} orders, ${result.deleted} of them deleted`,
  )
  assert.deepEqual(result.problems, [])
  assert.ok(result.acknowledged > KILLS, `only ${result.acknowledged} orders in ${KILLS} lives`)
})
