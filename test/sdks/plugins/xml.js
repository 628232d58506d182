import { XMLBuilder, XMLParser, XMLValidator } from 'fast-xml-parser'
import { sdkPlugin } from './checks.js'

const text = `<?xml version="1.0"?><!-- a comment --><list count="2">
  <item id="1"><![CDATA[<raw> & -->]]></item><!-- <item id="no"/> --><item id="2">b &amp; c</item>
</list>`
const options = { ignoreAttributes: false, commentPropName: '#comment', cdataPropName: '#cdata' }

export default sdkPlugin(() => ({
  parse: () => new XMLParser(options).parse(text),
  build: () =>
    new XMLBuilder({ ...options, format: true }).build({
      a: { '@_id': '1', '#comment': ' said ', '#cdata': 'x < y', b: ['1', '2'] },
    }),
  roundTrip() {
    const ordered = { ...options, preserveOrder: true }
    return new XMLBuilder(ordered).build(new XMLParser(ordered).parse(text))
  },
  invalid: () => XMLValidator.validate('<a><b></a>').err.code,
}))
