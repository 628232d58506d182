import { testLauncher } from '../fixtures/plugin-spec.ts'
import { testResults } from '../fixtures/test-results.ts'

const launcher = testLauncher()

testResults(launcher, 'URL and URLSearchParams are those of the standard', [
  [
    'relative to a base',
    "const u = new URL('../x?a=1&b=2', 'https://h:8443/p/q'); u.searchParams.set('a', 'ü'); return u.href",
    'https://h:8443/x?a=%C3%BC&b=2',
  ],
  [
    'all parts are there',
    "const u = new URL('https://u:p@h.example:8443/a/b?c=d#e'); return [u.origin, u.protocol, u.username, u.password, u.host, u.hostname, u.port, u.pathname, u.search, u.hash, String(u), JSON.stringify({ u })]",
    [
      'https://h.example:8443',
      'https:',
      'u',
      'p',
      'h.example:8443',
      'h.example',
      '8443',
      '/a/b',
      '?c=d',
      '#e',
      'https://u:p@h.example:8443/a/b?c=d#e',
      '{"u":"https://u:p@h.example:8443/a/b?c=d#e"}',
    ],
  ],
  [
    'all parts can be set',
    "const u = new URL('http://h/'); u.protocol = 'https'; u.hostname = 'ä.example'; u.port = 444; u.username = 'u'; u.password = 'p'; u.pathname = 'a b'; u.search = 'q'; u.hash = 'f'; const before = u.href; u.host = 'g:1'; u.href = 'http://x/y'; return [before, u.href]",
    ['https://u:p@xn--4ca.example:444/a%20b?q#f', 'http://x/y'],
  ],
  [
    'a part that cannot be set stays as it was',
    "const u = new URL('https://h/'); u.port = 'x'; u.host = ''; u.protocol = 'nothing special'; return u.href",
    'https://h/',
  ],
  [
    'what is no URL is refused with an error of the plugin',
    "try { new URL('%') } catch (error) { return [error instanceof TypeError, error.constructor === TypeError, error.code] }",
    [true, true, 'ERR_INVALID_URL'],
  ],
  [
    'an href that is no URL leaves the URL as it was',
    "const u = new URL('https://h/'); let name; try { u.href = '%' } catch (error) { name = error.name }; return [u.href, name]",
    ['https://h/', 'TypeError'],
  ],
  [
    'canParse and parse',
    "return [URL.canParse('x', 'https://h/'), URL.canParse('x'), URL.parse('x'), URL.parse('https://h').href]",
    [true, false, null, 'https://h/'],
  ],
  [
    'fields follow the query and the query follows the fields',
    "const u = new URL('https://h/?a=1'); const p = u.searchParams; u.search = '?b=2&b=3'; const read = p.getAll('b'); p.append('c', '&='); p.delete('b', '2'); const href = u.href; p.delete('b'); p.delete('c'); return [read, href, u.href, u.searchParams === p]",
    [['2', '3'], 'https://h/?b=3&c=%26%3D', 'https://h/', true],
  ],
  [
    'fields from a text, pairs, a record and other fields',
    "return [String(new URLSearchParams('?q=1&q')), String(new URLSearchParams([['a', 'b'], ['a', 'c']])), String(new URLSearchParams({ b: '1', a: 'x y' })), String(new URLSearchParams(new URLSearchParams('z=1'))), String(new URLSearchParams(new Map([['m', 1]])))]",
    ['q=1&q=', 'a=b&a=c', 'b=1&a=x+y', 'z=1', 'm=1'],
  ],
  [
    'fields are decoded as forms are',
    "const p = new URLSearchParams('a=x+y%20z&%C3%A4=%E2%82%AC&bad=%ff%zz&=e&&'); return [...p]",
    [
      ['a', 'x y z'],
      ['ä', '€'],
      ['bad', '\ufffd%zz'],
      ['', 'e'],
    ],
  ],
  [
    'fields are encoded as forms are',
    "return String(new URLSearchParams([[\"a!'()~*-._\", 'ä€ %&+=']]))",
    'a%21%27%28%29%7E*-._=%C3%A4%E2%82%AC+%25%26%2B%3D',
  ],
  [
    'an unpaired surrogate is replaced',
    "return String(new URLSearchParams({ a: '\\ud800' }))",
    'a=%EF%BF%BD',
  ],
  [
    'fields are iterated, sorted, set and counted',
    "const p = new URLSearchParams('c=1&a=2&c=3'); p.set('c', '4'); p.set('n', '5'); p.sort(); const seen = []; p.forEach((value, name) => seen.push(name + value)); return [seen, [...p.keys()], [...p.values()], p.size, p.get('a'), p.get('x'), p.has('c', '4'), p.has('c', '1')]",
    [['a2', 'c4', 'n5'], ['a', 'c', 'n'], ['2', '4', '5'], 3, '2', null, true, false],
  ],
  [
    'pairs that are none are refused',
    "try { new URLSearchParams([['a']]) } catch (error) { return error.name }",
    'TypeError',
  ],
  [
    'their names',
    "return [Object.prototype.toString.call(new URL('https://h')), Object.prototype.toString.call(new URLSearchParams())]",
    ['[object URL]', '[object URLSearchParams]'],
  ],
  [
    'nothing of the platform is in them',
    "const u = new URL('https://h/?a'); return [...Reflect.ownKeys(u), ...Reflect.ownKeys(u.searchParams), ...Reflect.ownKeys(URL).filter((key) => String(key).includes('Object'))].map(String)",
    [],
  ],
])
