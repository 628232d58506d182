import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import {
  conformance,
  createFakeClock,
  createFakeHost,
  startInProcess,
} from '@fogbow/plugin-sdk/testing'
import plugin from './index.ts'

const { config, secrets, samples } = JSON.parse(
  await readFile(new URL('./fogbow.conformance.json', import.meta.url), 'utf8'),
)

describe('conformance', async () => {
  const clock = createFakeClock(Date.UTC(2030, 0, 1), true)
  let host = createFakeHost({ config, secrets, clock })
  const cases = conformance(await startInProcess(plugin, host), {
    samples,
    advance: (ms) => clock.advance(ms),
    async restart() {
      host = host.restarted()
      return startInProcess(plugin, host)
    },
  })
  for (const { kind, name, skip, run } of cases)
    test(`${kind}: ${name}`, { skip: skip ?? false }, run)
})
