import { type Denial, testDenials } from './support/denial-tests.ts'

/** Doubles a text until it has so many characters; nothing of the language forbids it. */
const grown = (piece: string, length: string) =>
  `let text = ${piece}; while (text.length < ${length}) text += text;`

const denials: Denial[] = [
  {
    by: 'a text of half a gigabyte that is normalized',
    code: `${grown("'é'", '2 ** 28')} return text.normalize('NFD').length`,
  },
  {
    by: 'a text of a quarter gigabyte that is split',
    code: `${grown("'x'", '2 ** 28')} return text.split('').length`,
  },
  {
    by: 'the longest text that may be split',
    code: "return 'x'.repeat(2 ** 24).split('').length",
  },
  {
    by: 'the longest text that may be normalized',
    code: "return '\\u1e9b\\u0323'.repeat(2 ** 23).normalize('NFKD').length",
  },
  {
    by: 'JSON that nests five million times',
    code: "return typeof JSON.parse('['.repeat(5e6) + ']'.repeat(5e6))",
  },
  {
    by: 'JSON of millions of empty lists',
    code: "return JSON.parse('[' + '[],'.repeat(5e6) + '0]').length",
  },
  {
    by: 'a value that nests five million times as JSON',
    code: 'let list = []; for (let n = 0; n < 5e6; n++) list = [list]; return JSON.stringify(list).length',
  },
  {
    by: 'a list of texts that is gigabytes of JSON',
    code: `${grown("'x'", '2 ** 24')} return JSON.stringify(new Array(1000).fill(text)).length`,
  },
  {
    by: 'a text of control characters as JSON',
    code: `${grown("'\\\\u0001'", '2 ** 26')} return JSON.stringify(text).length`,
    lasting: true,
  },
  {
    by: 'a text of a quarter gigabyte that becomes JSON and is read again',
    code: `${grown("'x'", '2 ** 28')} const json = JSON.stringify(text); for (const kept = []; ; ) kept.push(JSON.parse(json))`,
    lasting: true,
  },
  {
    by: 'a regular expression of a million groups',
    code: "new RegExp('('.repeat(1e6) + ')'.repeat(1e6))",
  },
  {
    by: 'a regular expression that multiplies its repetitions',
    code: "new RegExp('(?:a{1000}){1000}'.repeat(100)).test('a'); return 1",
  },
  {
    by: 'a regular expression of a quarter gigabyte',
    code: `${grown("'x'", '2 ** 28')} new RegExp(text).test(text)`,
  },
  {
    by: 'great joins',
    code: "const piece = 'x'.repeat(2 ** 16); for (const kept = []; ; ) kept.push(new Array(100).fill(piece).join(kept.length))",
    ends: true,
  },
  {
    by: 'a backward search for a great text in a greater one',
    code: "const text = 'a'.repeat(2 ** 21); return text.lastIndexOf('a'.repeat(2 ** 20) + 'b')",
  },
  {
    by: 'a search that fails late at every place',
    code: "const half = 'a'.repeat(2 ** 17); return (half + half + half + half + half + half).indexOf(half + 'b' + half)",
  },
  {
    by: 'a text of a quarter gigabyte whose letters are replaced one by one',
    code: `${grown("'x'", '2 ** 28')} return text.replace(/x/g, 'y').length`,
  },
  {
    by: 'a text of a quarter gigabyte that is compared by language',
    code: `${grown("'é'", '2 ** 28')} return text.localeCompare(text + 'y')`,
  },
  {
    by: 'a text of a quarter gigabyte that is spread',
    code: `${grown("'x'", '2 ** 28')} return [...text].length`,
    ends: true,
  },
  {
    by: 'a text of a quarter gigabyte whose characters become keys',
    code: `${grown("'x'", '2 ** 28')} return Object.keys(text).length`,
  },
  {
    by: 'a text of digits that becomes a number',
    code: `${grown("'1'", '2 ** 26')} return typeof BigInt(text)`,
    lasting: true,
  },
  {
    by: 'a text of a quarter gigabyte that is encoded for an address',
    code: `${grown("'é'", '2 ** 27')} return encodeURIComponent(text).length`,
  },
  {
    by: 'an address of a quarter gigabyte',
    code: `${grown("'x'", '2 ** 28')} return new URL('http://a/' + text).href.length`,
    lasting: true,
  },
  {
    by: 'a text of a quarter gigabyte as base64',
    code: `${grown("'x'", '2 ** 28')} return atob(text).length`,
  },
]

await testDenials(denials)
