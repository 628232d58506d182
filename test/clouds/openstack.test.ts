import { after, before, describe } from 'node:test'
import { choiceTests } from './choices.ts'
import { conformanceTests } from './conformance.ts'
import { endToEndTests } from './end-to-end.ts'
import { faultTests } from './faults.ts'
import { loginTests } from './log-in.ts'
import { cloudUnderTest } from './openstack/cloud-under-test.ts'
import type { OpenStack } from './openstack/openstack.ts'
import { refusalTests } from './refusals.ts'
import { tradeTests } from './trade.ts'

/** All that needs an OpenStack shares one: its start takes longer than most tests. */
describe('a real OpenStack', { concurrency: false }, () => {
  let cloud: OpenStack
  before(async () => {
    cloud = await cloudUnderTest()
  })
  after(() => cloud?.stop())
  endToEndTests(() => cloud)
  choiceTests(() => cloud)
  loginTests(() => cloud)
  refusalTests(() => cloud)
  faultTests(() => cloud)
  tradeTests(() => cloud)
  conformanceTests(() => cloud)
})
