import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostMethod } from '@fogbow/sandbox'
import { watchHostLanguage } from '../support/host-language.ts'
import { runBody } from '../support/hostile-plugin.ts'
import { withRawGuests } from '../support/raw-guest.ts'

/** Says to the host what `asked` lists, all at once, and answers what it answered: values, and codes of errors. */
const saying = (asked: readonly unknown[]) => `
offer(['federationToLocalMapper.getToken'])
const asked = ${JSON.stringify(asked)}
const answers = []
let call
receive(([type, id, value]) => {
  if (type === 0 && value !== 'load') {
    call = id
    asked.forEach(([method, ...args], at) => send(JSON.stringify([[0, at + 1, method, args, 0]])))
  }
  if (type !== 1 && type !== 2) return
  answers[id - 1] = type === 2 ? value.code : (value ?? null)
  if (answers.length === asked.length && !answers.includes(undefined)) send(JSON.stringify([[1, call, { result: JSON.stringify(answers) }]]))
})`

/** One stream in each direction, numbered 1 and 2, and what arrives at them. */
function brokers() {
  const written: string[] = []
  const host: Record<string, HostMethod> = {
    open: (_args, { streams }) => [
      streams.offer({
        async *[Symbol.asyncIterator]() {
          yield Buffer.from('read')
        },
      }),
      streams.receive({
        write: async (chunk) => void written.push(Buffer.from(chunk).toString()),
        close: async () => void written.push('closed'),
        abort: () => written.push('aborted'),
      }),
    ],
  }
  return { host, written }
}

const numbers = [undefined, null, '1', [1], { id: 1 }, -1, 1.5, 1e308, '__proto__', 'constructor']
const chunks = [null, 7, ['eHg='], { length: 4 }, '!!!!', 'eHg', 'A'.repeat(87_388)]

await withRawGuests((tier) => {
  test('nothing is read or written by numbers and chunks that are none', async () => {
    const language = watchHostLanguage()
    const { host, written } = brokers()
    const wrong = [
      ...numbers.flatMap((id) => [
        ['stream.read', id],
        ['stream.write', id, 'eHg='],
        ['stream.close', id],
      ]),
      ...chunks.map((chunk) => ['stream.write', 2, chunk]),
      ['stream.write', 1, 'eHg='],
      ['stream.read', 2],
      ['stream.close', 1],
    ]
    const asked = [['open'], ...wrong, ['stream.write', 2, 'eHg='], ['stream.read', 1]]
    await tier.with(
      saying(asked),
      async (sandbox) => {
        const answers = await runBody(sandbox)
        const refused = wrong.map(() => 'invalid_parameter')
        assert.deepEqual(answers, [
          [1, 2],
          ...refused,
          null,
          Buffer.from('read').toString('base64'),
        ])
      },
      { kinds: ['federationToLocalMapper'], host },
    )
    assert.deepEqual(written, ['xx', 'aborted'])
    assert.deepEqual(language.changes(), [])
  })

  test('no more streams than allowed are open, and those that are still work', async () => {
    const { host, written } = brokers()
    const asked = [['open'], ...Array.from({ length: 300 }, () => ['stream.open'])]
    await tier.with(
      saying([...asked, ['stream.write', 2, 'eHg=']]),
      async (sandbox) => {
        const answers = (await runBody(sandbox)) as unknown[]
        assert.equal(answers.filter((answer) => typeof answer === 'number').length, 254)
        assert.equal(answers.filter((answer) => answer === 'too_many_requests').length, 46)
        assert.equal(answers.at(-1), null)
      },
      { kinds: ['federationToLocalMapper'], host },
    )
    assert.deepEqual(written, ['xx', 'aborted'])
  })
})
