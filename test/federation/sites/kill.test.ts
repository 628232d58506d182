import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startFederation, threeSites } from './federation-sites.ts'
import { killRun } from './kill-run.ts'

const KILLS = 100
const SEED = Number(process.env.FOGBOW_SEED ?? 20261122)

const unlimited = {
  ...{ instances: -1, vCPU: -1, ram: -1, storage: -1 },
  ...{ volumes: -1, networks: -1, publicIps: -1 },
}
/** Clouds whose calls take time and sometimes lose their answers, so that a kill meets every kind of moment. */
const emulated = {
  quota: unlimited,
  delaysMs: { create: 30, delete: 20, call: 2 },
  failureRates: {
    requestInstance: { unavailableBefore: 0.05, unavailableAfter: 0.05 },
    deleteInstance: { unavailableAfter: 0.05 },
  },
}
const orders = {
  ...{ settleMs: 200, firstRetryMs: 50, longestRetryMs: 500 },
  ...{ firstCheckMs: 20, longestCheckMs: 500 },
}

test(`${KILLS} kills of sites that trade make no duplicate and no orphan, and leave no outcome unknown`, async (t) => {
  t.diagnostic(`seed ${SEED}`)
  const federation = await startFederation({ sites: threeSites, settings: { emulated, orders } })
  try {
    const { problems, ...figures } = await killRun(federation, {
      ...{ kills: KILLS, longestPeaceMs: 1000, usersPerSite: 3, seed: SEED },
    })
    t.diagnostic(JSON.stringify(figures))
    assert.deepEqual(problems, [], `seed ${SEED}`)
    assert.ok(figures.orders > KILLS, `only ${figures.orders} orders`)
    assert.ok(figures.deleted > 20 && figures.rules > 20, JSON.stringify(figures))
    assert.ok(figures.serversKilled > 3 && figures.killedAtStart > 10, JSON.stringify(figures))
  } finally {
    await federation.stop()
  }
})
