import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PackageChange, SettingsCheck } from '@fogbow/registry'
import type { Terminal } from '../terminal.ts'
import { askForMissing, onlyNewSecrets } from './missing-settings.ts'

const check: SettingsCheck = {
  instance: 'cloud',
  missing: ['endpoint', 'retries'],
  secrets: ['password', 'key'],
  unknown: [],
  descriptions: { endpoint: 'URL\u001b[2J of the cloud' },
}

/** Somebody who types these answers one after the other. */
function typist(answers: string[]) {
  const questions: string[] = []
  const terminal = {
    async ask(question: string) {
      questions.push(question)
      return answers.shift() ?? ''
    },
  } as Terminal
  return { terminal, questions }
}

test('each missing setting and secret is asked for in the words of its vendor, which give the terminal no orders', async () => {
  const { terminal, questions } = typist(['https://cloud.example', '3', 'env:PASSWORD', ''])
  assert.deepEqual(await askForMissing(terminal, check), {
    config: { endpoint: 'https://cloud.example', retries: 3 },
    secrets: { password: 'env:PASSWORD' },
  })
  assert.equal(questions.length, 4)
  assert.match(questions[0] ?? '', /^plugins\.cloud\.config\.endpoint \(URL.*of the cloud\): $/)
  assert.ok(!questions.join('').includes('\u001b'))
})

test('who types nothing sets nothing', async () => {
  assert.equal(await askForMissing(typist([]).terminal, check), undefined)
})

test('an upgrade asks only for secrets that the version before did not ask for', () => {
  const change = { capabilities: { added: ['secret key', 'storage'], dropped: [] } }
  assert.deepEqual(onlyNewSecrets(check, change as unknown as PackageChange).secrets, ['key'])
})
