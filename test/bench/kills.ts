import { killRun } from '../system/kill/kill-run.ts'
import { atMost, type Bench } from './result.ts'

const KILLS = 1000

/** Broken promises after a thousand kills at random points: lost orders, second instances, orphans. */
const kills: Bench = async () => {
  const { problems, acknowledged, deleted } = await killRun({
    kills: KILLS,
    longestLifeMs: 400,
    seed: Date.now() % 2 ** 31,
  })
  for (const problem of problems) console.log(`  ${problem}`)
  return [
    atMost('broken promises after 1,000 kills', problems.length, 0, 'count', {
      acknowledged,
      deleted,
    }),
  ]
}

export default kills
