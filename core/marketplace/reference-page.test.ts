import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LockedPlugin } from '@fogbow/registry'
import { referencePage } from './reference-page.ts'

const plugin = {
  name: '@vendor/cloud',
  version: '1.2.3',
  description: 'Computes of <b>Vendor</b>',
  license: 'MIT',
  trust: { level: 'verified', publisher: 'Vendor', checks: [] },
  manifest: {
    sdk: '^0.1.0',
    kinds: ['quota'],
    entry: './index.js',
    config: {
      type: 'object',
      required: ['url'],
      properties: {
        url: { type: 'string', description: 'Where it is | `rm -rf`\n# Heading' },
        retries: { type: 'integer', default: 3 },
        mode: { enum: ['fast', 'safe'] },
      },
    },
    capabilities: { network: ['{config.url}'], secrets: ['password'], storage: true },
  },
  components: [{ name: 'left-pad', version: '1.3.0', license: 'WTFPL' }],
} as unknown as LockedPlugin

test('the page of a plugin says what it offers, each setting, what it reaches and what it is made of', () => {
  const lines = referencePage('lab', plugin).split('\n')
  assert.equal(lines[0], '# @vendor/cloud 1.2.3')
  for (const expected of [
    'Runs at this site as `lab`; licence MIT; trusted as `verified`, published by Vendor.',
    '| plugins.lab.config.retries | no | integer | 3 |  |',
    '| plugins.lab.config.mode | no | "fast" or "safe" |  |  |',
    '| network | {config.url} |',
    '| secrets | password |',
    '| storage | keeps data of its own |',
    '| left-pad | 1.3.0 | WTFPL |',
  ])
    assert.ok(lines.includes(expected), `${expected} is missing in\n${lines.join('\n')}`)
  assert.ok(lines.some((line) => line.startsWith('| quota | ')))
})

test('what a vendor wrote neither leaves its cell nor becomes markup', () => {
  const page = referencePage('lab', plugin)
  assert.match(page, /\| yes \| string \| {2}\| Where it is \\\| \\`rm -rf\\` # Heading \|/)
  assert.ok(!page.includes('<b>'), page)
  assert.equal(page.match(/^# /gm)?.length, 1)
})
