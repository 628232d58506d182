const querystring = require('./querystring.cjs')

const { URL, URLSearchParams } = globalThis
/** scheme, slashes with authority, path, query, fragment (RFC 3986, appendix B) */
const PARTS = /^([a-z][a-z0-9+.-]*:)?(\/\/[^/?#]*)?([^?#]*)(\?[^#]*)?(#.*)?$/i

/** The older form of Node, for packages that still use it. */
function parse(address, parseQuery = false, slashesDenoteHost = false) {
  const [, protocol = null, authority, pathname = '', search = null, hash = null] =
    PARTS.exec(String(address).trim()) ?? []
  const hasHost = authority !== undefined && (protocol !== null || slashesDenoteHost)
  const [auth, host] = hasHost ? splitAuthority(authority.slice(2)) : [null, null]
  const [, hostname = null, port = null] = /^(.*?)(?::(\d*))?$/.exec(host ?? '') ?? []
  const path = (hasHost ? '' : (authority ?? '')) + pathname || (hasHost ? '/' : null)
  return Object.assign(Object.create({ format: formatThis }), {
    protocol: protocol?.toLowerCase() ?? null,
    slashes: hasHost || null,
    auth,
    host: host?.toLowerCase() ?? null,
    port: port || null,
    hostname: host === null ? null : hostname.replace(/^\[|\]$/g, '').toLowerCase(),
    hash,
    search,
    query: parseQuery ? querystring.parse(search?.slice(1)) : (search?.slice(1) ?? null),
    pathname: path,
    path: path === null && search === null ? null : (path ?? '') + (search ?? ''),
    href: String(address).trim(),
  })
}

function splitAuthority(authority) {
  const at = authority.lastIndexOf('@')
  return at < 0
    ? [null, authority]
    : [decodeURIComponent(authority.slice(0, at)), authority.slice(at + 1)]
}

function formatThis() {
  return format(this)
}

function format(address) {
  if (typeof address === 'string') return address
  if (address instanceof URL) return address.href
  const { protocol, auth, hostname, port, pathname = '', query, hash } = address
  const scheme = protocol ? `${protocol}`.replace(/:?$/, ':') : ''
  const name = hostname?.includes(':') ? `[${hostname}]` : hostname
  const host = address.host ?? (name ? name + (port ? `:${port}` : '') : '')
  const slashes = address.slashes || host || /^(https?|ftp|file|wss?):$/.test(scheme) ? '//' : ''
  const user = auth ? `${encodeURIComponent(auth).replace('%3A', ':')}@` : ''
  const asked = typeof query === 'object' && query !== null ? querystring.stringify(query) : ''
  const search = address.search ?? (asked && `?${asked}`)
  return `${scheme}${slashes}${host ? user + host : ''}${pathname ?? ''}${search}${hash ?? ''}`
}

function resolve(from, to) {
  const base = new URL(from, 'resolve://nowhere')
  const { href } = new URL(to, base)
  return href.replace(/^resolve:\/\/nowhere/, '')
}

function noFiles() {
  throw new Error('file: URLs are not available to plugins; they have no files')
}

module.exports = {
  URL,
  URLSearchParams,
  domainToASCII: (name) => new URL(`http://${name}`).hostname,
  domainToUnicode: (name) => name,
  fileURLToPath: noFiles,
  format,
  parse,
  pathToFileURL: noFiles,
  resolve,
  urlToHttpOptions: ({
    protocol,
    hostname,
    port,
    pathname,
    search,
    hash,
    href,
    username,
    password,
  }) => ({
    protocol,
    hostname,
    hash,
    search,
    pathname,
    path: pathname + search,
    href,
    ...(port && { port: Number(port) }),
    ...((username || password) && {
      auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}`,
    }),
  }),
}
