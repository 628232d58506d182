import assert from 'node:assert/strict'
import type { OrderedKind, PowerAction } from '../../resources/define-resource.ts'
import type { ConformanceCase } from '../conformance.ts'
import { inScope, type Order, obstacle, untilReady, untilState } from '../scope.ts'
import { casesOf, type Trial } from '../trial.ts'

/** State to which an action leads. */
const leadsTo: Record<string, string> = {
  pause: 'PAUSED',
  hibernate: 'HIBERNATED',
  stop: 'STOPPED',
  resume: 'READY',
}

/** True of the power actions that a plugin offers; each is optional. */
export function powerCases(kind: OrderedKind, trial: Trial): ConformanceCase[] {
  const test = casesOf(kind.name)
  const skip = obstacle(trial, kind)
  const offered = kind.actions.filter(({ method }) => trial.offers(`${kind.name}.${method}`))
  const resume = offered.find(({ name }) => name === 'resume')
  const act = (action: PowerAction, order: Order) =>
    trial.call(`${kind.name}.${action.method}`, order, trial.localToken)

  const there = offered
    .filter((action) => action !== resume)
    .map((action) =>
      test(
        `${action.method} leads to ${leadsTo[action.name]}, back to READY with resume, and repeating it does no harm`,
        () =>
          inScope(trial, async (scope) => {
            const order = await scope.ready(kind)
            await act(action, order)
            await act(action, order)
            await untilState(trial, kind, order, leadsTo[action.name] ?? '')
            await act(action, order)
            assert.ok(resume, `it can be ${leadsTo[action.name]} but resumeInstance is not offered`)
            await act(resume, order)
            await untilReady(trial, kind, order)
            await act(resume, order)
            await untilReady(trial, kind, order)
          }),
        skip,
      ),
    )

  const unknown = offered.map((action) =>
    test(
      `${action.method} of something unknown says instance_not_found`,
      () =>
        inScope(trial, async (scope) => {
          const order = { ...(await scope.order(kind)), instanceId: `no-${crypto.randomUUID()}` }
          await trial.refused('an unknown instance', act(action, order), ['instance_not_found'])
        }),
      skip,
    ),
  )
  return [...there, ...unknown]
}

export function snapshotCases(kind: OrderedKind, trial: Trial): ConformanceCase[] {
  const method = `${kind.name}.takeSnapshot`
  if (!trial.offers(method)) return []
  const test = casesOf(kind.name)
  const skip = obstacle(trial, kind)
  const noImages = trial.offers('image.getAllImages') ? undefined : 'the plugin offers no images'
  return [
    test(
      'takeSnapshot makes an image of the given name',
      () =>
        inScope(trial, async (scope) => {
          const name = `conformance-${crypto.randomUUID()}`
          const order = await scope.ready(kind)
          await trial.call(method, order, name, trial.localToken)
          await trial.eventually(`image '${name}' being listed`, async () => {
            const images = await trial.call<{ name: string }[]>(
              'image.getAllImages',
              trial.localToken,
            )
            return images.find((image) => image.name === name)
          })
        }),
      skip ?? noImages,
    ),
    test(
      'takeSnapshot of something unknown says instance_not_found',
      () =>
        inScope(trial, async (scope) => {
          const order = { ...(await scope.order(kind)), instanceId: `no-${crypto.randomUUID()}` }
          const call = trial.call(method, order, 'conformance', trial.localToken)
          await trial.refused('an unknown instance', call, ['instance_not_found'])
        }),
      skip,
    ),
  ]
}
