import { parseNetworkPattern, parseNetworkRequest } from '@fogbow/plugin-sdk/network'
import type { Rule } from '../rule.ts'
import { type Subject, toObject } from '../subject.ts'

/** Each pattern with its key, as far as it is a text. */
function requestsOf({ manifest }: Subject): { key: string; text: string }[] {
  const { network } = toObject(manifest.capabilities)
  const texts = Array.isArray(network) ? network.filter((text) => typeof text === 'string') : []
  return texts.map((text, index) => ({ key: `fogbow.capabilities.network[${index}]`, text }))
}

const patternsOf = (subject: Subject) =>
  requestsOf(subject).flatMap(({ key, text }) => {
    const pattern = parseNetworkPattern(text)
    return typeof pattern === 'string' ? [] : [{ key, text, pattern }]
  })

/** `*`, `*.*` and `*.com`: whoever asks for these asks for everything. */
const everything = /^(?:[a-z]+:\/\/)?\*(?:\.[^.:]+)?\.?(?::.*)?$/

export const networkRules: readonly Rule[] = [
  {
    name: 'network-not-everything',
    severity: 'error',
    looksAt: 'package',
    vital: true,
    reason: 'No administrator grants the whole network to a stranger',
    remedy: 'Name the hosts, or let them be configured: {config.url.host}',
    check: (subject) =>
      requestsOf(subject)
        .filter(({ text }) => everything.test(text))
        .map(({ key, text }) => `${key} '${text}' is everything`),
  },
  {
    name: 'network-patterns',
    severity: 'error',
    looksAt: 'package',
    vital: true,
    reason: 'What cannot be read cannot be granted',
    remedy: 'Write [scheme://]host[:port], *.domain, or {config.KEY.host}',
    check: (subject) =>
      requestsOf(subject).flatMap(({ key, text }) => {
        if (everything.test(text)) return []
        const request = parseNetworkRequest(text)
        return typeof request === 'string' ? [`${key} '${text}': ${request}`] : []
      }),
  },
  {
    name: 'network-template-keys',
    severity: 'error',
    looksAt: 'package',
    vital: true,
    reason: 'A template is filled in from the settings; one without a setting reaches nothing',
    remedy: 'Name a property of fogbow.config',
    check(subject) {
      const properties = toObject(toObject(subject.manifest.config).properties)
      return requestsOf(subject).flatMap(({ key, text }) =>
        [...text.matchAll(/\{config\.([^.}]+)/g)]
          .filter(([, name = '']) => !Object.hasOwn(properties, name))
          .map(([, name]) => `${key} '${text}' names config.${name}, which is no property`),
      )
    },
  },
  {
    name: 'network-any-port',
    severity: 'warning',
    looksAt: 'package',
    reason: 'Any port of a host is more than one service of it',
    remedy: 'Name the port',
    check: (subject) =>
      patternsOf(subject)
        .filter(({ pattern }) => pattern.port === '*')
        .map(({ key, text }) => `${key} '${text}' asks for every port`),
  },
  {
    name: 'network-encrypted',
    severity: 'warning',
    looksAt: 'package',
    reason: 'What is sent in the clear can be read and changed on its way',
    remedy: 'Use https or tls',
    check: (subject) =>
      patternsOf(subject)
        .filter(({ pattern }) => pattern.scheme === 'http')
        .map(({ key, text }) => `${key} '${text}' is not encrypted`),
  },
]
