const amount = (minimum: number, maximum: number, description: string) =>
  ({ type: 'integer', minimum, maximum, description }) as const
const texts = (description: string, items: { pattern?: string; maxLength?: number } = {}) =>
  ({
    type: 'array',
    maxItems: 256,
    items: { type: 'string', minLength: 1, ...items },
    description,
  }) as const

/**
 * How plugins get to the network: for the whole site, and what is different for one plugin. Nothing has a default here,
 * so that a plugin's own entry replaces just what it says.
 */
export const networkSchema = {
  type: 'object',
  default: {},
  additionalProperties: false,
  properties: {
    proxy: {
      type: 'string',
      pattern: '^(none|https?://[^@/?#]+/?)$',
      description:
        'HTTP proxy for all connections (CONNECT), such as http://proxy.example:3128; `none` for one plugin',
    },
    proxyCredentials: {
      type: 'string',
      pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$',
      description: 'Reference to `user:password` for the proxy',
    },
    noProxy: texts(
      'Hosts reached without the proxy: a name, `*.domain`, an address or a range such as 10.0.0.0/8',
    ),
    caFiles: texts(
      'Files of PEM certificates to trust beside the usual ones, for example of a private CA',
    ),
    dnsServers: texts(
      'Addresses of name servers, `192.0.2.53` or `192.0.2.53:5353`, instead of those of this machine',
    ),
    parallelRequests: amount(1, 4096, 'Requests of a plugin under way at once; more wait (32)'),
    connections: amount(1, 4096, 'TCP and TLS connections that a plugin may have open (32)'),
    answerMiB: amount(1, 1_048_576, 'Largest body of an answer, after decompression (256)'),
    uploadMiB: amount(1, 1_048_576, 'Largest body of a request (256)'),
    headersMs: amount(
      100,
      3_600_000,
      'From the connection to the headers of the answer, ms (30 000)',
    ),
    idleMs: amount(100, 3_600_000, 'Longest silence within a body, ms (60 000)'),
    totalMs: amount(100, 86_400_000, 'Longest time for a request with its body, ms (600 000)'),
    connectionIdleMs: amount(100, 86_400_000, 'Longest silence of a connection, ms (600 000)'),
  },
} as const

export const grantsSchema = {
  type: 'object',
  default: {},
  additionalProperties: false,
  properties: {
    network: {
      type: 'array',
      default: [],
      maxItems: 256,
      items: { type: 'string', minLength: 1, maxLength: 512 },
      description:
        'What it may reach, out of what its manifest asks for: its patterns, narrower ones, or `*` for all of them',
    },
    addresses: {
      type: 'array',
      default: [],
      maxItems: 256,
      items: { type: 'string', minLength: 1, maxLength: 64 },
      description:
        'Ranges that are not public and to which its hosts may lead, such as 10.20.0.0/16',
    },
    storageMiB: {
      type: 'integer',
      minimum: 1,
      maximum: 1_048_576,
      default: 64,
      description: 'Most that it may store',
    },
  },
} as const
