import assert from 'node:assert/strict'
import { test } from 'node:test'
import { childNamed, childText, element, serialise, textOf } from './stanza.ts'
import { XmppError } from './xmpp-error.ts'

test('text and attributes are escaped, line ends in attributes too', () => {
  const made = element('a', { b: `<"'&\n>` }, [`<&>"'\r\n\t`])
  assert.equal(
    serialise(made),
    "<a b='&lt;&quot;&apos;&amp;&#xA;&gt;'>&lt;&amp;&gt;&quot;&apos;&#xD;\n\t</a>",
  )
})

test('a namespace is written where it differs from that around it', () => {
  const made = element('iq', {}, [
    element('systemUser', {}, ['x']),
    element('query', { xmlns: 'remoteGetOrder' }, [element('orderId', {}, ['1'])]),
    element('same', { xmlns: 'jabber:component:accept' }),
  ])
  assert.equal(
    serialise(made),
    "<iq><systemUser>x</systemUser><query xmlns='remoteGetOrder'><orderId>1</orderId></query><same/></iq>",
  )
})

test('what XML cannot carry is refused before anything is sent', () => {
  const cases = ['\0', '\u0008', '\u{FFFE}', '\uD800', 'a\uDC00']
  for (const text of cases)
    for (const made of [element('a', {}, [text]), element('a', { b: text })])
      assert.throws(
        () => serialise(made),
        (error) => error instanceof XmppError && error.kind === 'invalid' && !error.sent,
      )
})

test('names that would change the structure are refused', () => {
  for (const name of ['', 'a b', 'a><b', 'x:y', '1a'])
    assert.throws(() => serialise(element(name)), XmppError)
  assert.throws(() => serialise(element('a', { "b='1' c": 'x' })), XmppError)
  assert.equal(serialise(element('a', { 'xml:lang': 'en' })), "<a xml:lang='en'/>")
})

test('attributes named like members of objects are attributes', () => {
  const made = element('a', { constructor: '1', toString: '2' })
  assert.equal(serialise(made), "<a constructor='1' toString='2'/>")
  assert.equal(element('a').attributes.constructor, undefined)
})

test('children are found by local name, whatever their namespace and place', () => {
  const made = element('iq', {}, [
    'text ',
    element('other'),
    element('orderId', { xmlns: 'a' }, ['1', element('b'), '2']),
    element('orderId', { xmlns: 'b' }, ['3']),
  ])
  assert.equal(childNamed(made, 'orderId')?.namespace, 'a')
  assert.equal(childText(made, 'orderId'), '12')
  assert.equal(childText(made, 'imageId'), undefined)
  assert.equal(textOf(made), 'text ')
})
