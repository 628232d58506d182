import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSlots } from './slots.ts'

test('those who wait come in turn, each when another one leaves', async () => {
  const slots = createSlots(1, 2, 'x')
  const order: string[] = []
  const enter = async (name: string) => {
    const leave = await slots.take()
    order.push(name)
    return leave
  }
  const [a, b, c] = [enter('a'), enter('b'), enter('c')]
  const leave = await a
  assert.deepEqual(order, ['a'])
  leave()
  leave()
  await b
  assert.deepEqual(order, ['a', 'b'])
  ;(await b)()
  ;(await c)()
  assert.deepEqual(order, ['a', 'b', 'c'])
})

test('who gives up while waiting takes no turn', async () => {
  const slots = createSlots(1, 1, 'x')
  const leave = await slots.take()
  const controller = new AbortController()
  const waiting = slots.take(controller.signal)
  controller.abort(new Error('enough'))
  await assert.rejects(waiting, { message: 'enough' })
  const next = slots.take()
  leave()
  ;(await next)()
  ;(await slots.take())()
})

test('when enough are waiting the rest is refused', async () => {
  const slots = createSlots(1, 1, 'Requests')
  const leave = await slots.take()
  const waiting = slots.take()
  await assert.rejects(slots.take(), {
    code: 'too_many_requests',
    message: 'Requests: 1 at once and 1 waiting is all that is allowed',
  })
  leave()
  ;(await waiting)()
})
