import { testLauncher } from '../fixtures/plugin-spec.ts'
import { testResults } from '../fixtures/test-results.ts'

const launcher = testLauncher()

testResults(launcher, 'blobs and forms are those of the standard', [
  [
    'a blob of texts, buffers and blobs',
    "const b = new Blob(['a', new Uint8Array([98]), new Uint8Array([99]).buffer, new Blob(['d']), 1], { type: 'Text/Plain' }); return [await b.text(), b.size, b.type, (await b.bytes())[1], (await b.arrayBuffer()).byteLength]",
    ['abcd1', 5, 'text/plain', 98, 5],
  ],
  [
    'a part of a blob',
    "const b = new Blob(['abcdef']); return [await b.slice(1, 3).text(), await b.slice(-2).text(), b.slice(1, 3, 'x/y').type, b.slice(2).size]",
    ['bc', 'ef', 'x/y', 4],
  ],
  [
    'a blob as a stream',
    "let n = 0, chunks = 0; for await (const chunk of new Blob(['x'.repeat(100000)]).stream()) { n += chunk.length; chunks++ } return [n, chunks]",
    [100000, 2],
  ],
  [
    'a file',
    "const f = new File(['x'], 'f.txt', { type: 'text/plain', lastModified: 5 }); return [f.name, f.lastModified, f.size, f instanceof Blob, String(f)]",
    ['f.txt', 5, 1, true, '[object File]'],
  ],
  [
    'a blob does not change with what it was made of',
    'const bytes = new Uint8Array([97]); const b = new Blob([bytes]); bytes[0] = 98; (await b.bytes())[0] = 99; return b.text()',
    'a',
  ],
  [
    'fields of a form',
    "const f = new FormData(); f.append('a', '1'); f.append('b', new Blob(['x'])); f.append('a', 2); f.set('c', 'n'); f.set('a', '3'); f.delete('none'); return [[...f].map(([name, value]) => [name, typeof value === 'string' ? value : value.name]), f.getAll('a'), f.get('zz'), f.has('b'), [...f.keys()]]",
    [
      [
        ['a', '3'],
        ['b', 'blob'],
        ['c', 'n'],
      ],
      ['3'],
      null,
      true,
      ['a', 'b', 'c'],
    ],
  ],
  [
    'a form as a body',
    `const f = new FormData(); f.append('te"xt', 'a\\nb'); f.append('file', new File(['ä'], 'n.txt', { type: 'text/plain' }))
     const request = new Request('https://h/', { method: 'POST', body: f })
     const type = request.headers.get('content-type'); const boundary = type.split('boundary=')[1]
     return [type.startsWith('multipart/form-data; boundary='), (await request.text()).replaceAll(boundary, 'B')]`,
    [
      true,
      '--B\r\nContent-Disposition: form-data; name="te%22xt"\r\n\r\na\r\nb\r\n--B\r\nContent-Disposition: form-data; name="file"; filename="n.txt"\r\nContent-Type: text/plain\r\n\r\nä\r\n--B--\r\n',
    ],
  ],
  [
    'a form is read back',
    `const f = new FormData(); f.append('te"xt', 'ä€'); f.append('empty', ''); f.append('file', new File([new Uint8Array([0, 255, 13, 10, 45, 45])], 'n.bin')); f.append('last', 'x')
     const back = await new Response(f).formData(); const file = back.get('file')
     return [back.get('te"xt'), back.get('empty'), file.name, file.type, [...await file.bytes()], back.get('last'), [...back].length]`,
    ['ä€', '', 'n.bin', 'application/octet-stream', [0, 255, 13, 10, 45, 45], 'x', 4],
  ],
  [
    'a form in the form of a query',
    "const r = new Response(new URLSearchParams({ a: 'x y' })); const type = r.headers.get('content-type'); return [type, (await r.formData()).get('a')]",
    ['application/x-www-form-urlencoded;charset=UTF-8', 'x y'],
  ],
  [
    'what is no form is refused',
    `const failed = (r) => r.formData().then(() => 'fine', (error) => error.name)
     return [await failed(new Response('x')), await failed(new Response('--B\\r\\nx', { headers: { 'content-type': 'multipart/form-data; boundary=B' } })), await failed(new Response('--B\\r\\n\\r\\n\\r\\nx\\r\\n--B--', { headers: { 'content-type': 'multipart/form-data; boundary=B' } }))]`,
    ['TypeError', 'TypeError', 'TypeError'],
  ],
  [
    'a blob as a body, and a body as a blob',
    "const r = new Request('https://h/', { method: 'PUT', body: new Blob(['x'], { type: 'a/b' }) }); const type = r.headers.get('content-type'); const b = await r.blob(); return [type, b.type, await b.text()]",
    ['a/b', 'a/b', 'x'],
  ],
])
