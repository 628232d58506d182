import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatNetworkPattern,
  type NetworkPattern,
  parseNetworkPattern,
} from '@fogbow/plugin-sdk/network'
import { intersection, patternCovers, type Target } from './network-pattern.ts'

function toPattern(text: string): NetworkPattern {
  const pattern = parseNetworkPattern(text)
  assert.ok(typeof pattern === 'object', text)
  return pattern
}

test('a pattern covers its host, port, scheme and subdomains, and nothing that looks like them', () => {
  const cases: [pattern: string, target: string, covered: boolean][] = [
    ['cloud.example', 'cloud.example:443', true],
    ['cloud.example', 'cloud.example:8443', false],
    ['cloud.example:*', 'cloud.example:8443', true],
    ['cloud.example', 'http://cloud.example:443', false],
    ['cloud.example', 'a.cloud.example', false],
    ['cloud.example', 'cloud.example.evil', false],
    ['cloud.example', 'evil-cloud.example', false],
    ['*.cloud.example', 'a.b.cloud.example', true],
    ['*.cloud.example', 'cloud.example', false],
    ['*.cloud.example', 'evilcloud.example', false],
    ['*.example', '192.0.2.1', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.11', false],
    ['tcp://a.example:*', 'tls://a.example:636', true],
    ['tcp://a.example:*', 'a.example:443', false],
    ['tls://a.example:*', 'tcp://a.example:636', false],
    ['tls://a.example:443', 'a.example:443', false],
  ]
  for (const [pattern, target, covered] of cases)
    assert.equal(
      patternCovers(toPattern(pattern), toPattern(target) as Target),
      covered,
      `${pattern} ${target}`,
    )
})

test('what two patterns share is the narrower of each part, whichever is given first', () => {
  const cases: [left: string, right: string, both: string | undefined][] = [
    ['*.example', 'a.example', 'a.example'],
    ['*.example', '*.a.example', '*.a.example'],
    ['*.example', 'example', undefined],
    ['*.a.example:443', '*.example:*', '*.a.example'],
    ['a.example', 'b.example', undefined],
    ['a.example:*', 'a.example:8443', 'a.example:8443'],
    ['a.example:1', 'a.example:2', undefined],
    ['a.example', 'http://a.example', undefined],
    ['tcp://a.example:*', 'tls://*.example:636', 'tls://a.example:636'],
    ['*.example', '192.0.2.1', undefined],
  ]
  for (const [left, right, both] of cases) {
    for (const [one, other] of [
      [left, right],
      [right, left],
    ] as const) {
      const shared = intersection(toPattern(one), toPattern(other))
      assert.equal(shared && formatNetworkPattern(shared), both, `${one} ${other}`)
    }
  }
})
