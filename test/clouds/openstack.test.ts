import { after, before, describe } from 'node:test'
import { choiceTests } from './choices.ts'
import { conformanceTests } from './conformance.ts'
import { endToEndTests } from './end-to-end.ts'
import { faultTests } from './faults.ts'
import { loginTests } from './log-in.ts'
import { cloudUnderTest, startSecondCloud } from './openstack/cloud-under-test.ts'
import type { OpenStack } from './openstack/openstack.ts'
import { refusalTests } from './refusals.ts'
import { tradeTests } from './trade.ts'

/** All that needs an OpenStack shares one, since its start takes longer than most tests; what needs two has one more. */
describe('a real OpenStack', { concurrency: false }, () => {
  let cloud: OpenStack
  let second: Promise<OpenStack> | undefined
  before(async () => {
    cloud = await cloudUnderTest()
    // It starts while the first tests wait for the first cloud; whoever works on tests may not need it.
    if (process.env.FOGBOW_TEST_OPENSTACK === undefined) void needSecond()
  })
  function needSecond(): Promise<OpenStack> {
    second ??= startSecondCloud()
    second.catch(() => {})
    return second
  }
  after(async () => {
    await second?.then((other) => other.stop()).catch(() => {})
    await cloud?.stop()
  })
  endToEndTests(() => cloud)
  choiceTests(() => cloud)
  loginTests(() => cloud)
  refusalTests(() => cloud)
  faultTests(() => cloud)
  tradeTests(() => cloud, needSecond)
  conformanceTests(() => cloud)
})
