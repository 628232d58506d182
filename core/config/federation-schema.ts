const secretReference = {
  type: 'string',
  pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$',
} as const
const memberId = {
  type: 'string',
  pattern: '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$',
  maxLength: 255,
} as const

const peer = {
  type: 'object',
  additionalProperties: false,
  properties: {
    dialect: {
      type: 'string',
      enum: ['own', 'java'],
      description:
        'How it is spoken to; found out by asking it when absent. `java` is the original service, which signs nothing',
    },
    keys: {
      type: 'array',
      maxItems: 4,
      items: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}:[A-Za-z0-9_-]{43}$' },
      description:
        'Its public keys, `kid:key` as its administrator reads them to you: at most two that sign and two for encryption',
    },
    identityProviders: {
      type: 'array',
      maxItems: 64,
      items: { type: 'string', minLength: 1, maxLength: 255 },
      description:
        'Whose users it may speak for, beside those whose identity provider has its own name',
    },
    laterMethods: {
      type: 'array',
      uniqueItems: true,
      items: { type: 'string', enum: ['pause', 'hibernate', 'stop', 'resume', 'takeSnapshot'] },
      description:
        'What a member of the original service understands that its first version did not; its administrator knows',
    },
  },
} as const

/** How this site reaches others. Without this section it is alone, whatever `members` says. */
export const federationSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['xmpp'],
  properties: {
    enabled: {
      type: 'boolean',
      default: true,
      description: 'false: settings are kept, nothing is connected',
    },
    xmpp: {
      type: 'object',
      additionalProperties: false,
      required: ['secret'],
      description:
        'The XMPP server of this site, which takes its component (XEP-0114); its name is `ras-` and the id of this site',
      properties: {
        host: { type: 'string', minLength: 1, maxLength: 255, default: '127.0.0.1' },
        port: { type: 'integer', minimum: 1, maximum: 65535, default: 5347 },
        secret: {
          ...secretReference,
          description: 'Reference to the secret of the component, `env:NAME` or `file:path`',
        },
      },
    },
    peers: {
      type: 'object',
      default: {},
      propertyNames: memberId,
      additionalProperties: peer,
      description: 'What is known of members, by id; who is one is said in `members`',
    },
    newKeys: {
      type: 'string',
      enum: ['pinned', 'announced', 'firstUse'],
      default: 'announced',
      description:
        'Keys of members that count beside those written here: none, those announced under one of them, or also the first ones met',
    },
    encryption: {
      type: 'string',
      enum: ['never', 'whenPossible', 'always'],
      default: 'never',
      description: 'Whether content is hidden from the XMPP servers on the way',
    },
    reads: {
      type: 'string',
      enum: ['signed', 'shared'],
      default: 'shared',
      description:
        'How sites show each other that a read is theirs: by a signature, or by a key that the two share, which costs much less',
    },
    unsigned: {
      type: 'string',
      enum: ['refused', 'allowed'],
      default: 'refused',
      description: 'Whether members may be traded with that sign nothing (the original service)',
    },
    identityProviders: {
      type: 'array',
      default: [],
      maxItems: 64,
      items: { type: 'string', minLength: 1, maxLength: 255 },
      description:
        'Whose users may be sent to others, beside those whose identity provider has the id of this site',
    },
    concurrency: {
      type: 'integer',
      minimum: 1,
      maximum: 4096,
      default: 32,
      description: 'Orders at one cloud of one member that are worked on at once',
    },
  },
} as const

/** Where this site finds members beside those of the list; needs the section `federation`. */
export const rendezvousSchema = {
  type: 'array',
  default: [],
  maxItems: 64,
  description: 'Rendezvous that this site reports to, and asks for other members',
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['jid'],
    properties: {
      jid: { ...memberId, description: 'Name of its component' },
      keys: {
        ...peer.properties.keys,
        description:
          'Its public keys, `kid:key` as it prints them at its start; without them its statements count for nothing',
      },
      admits: {
        type: 'string',
        enum: ['stated', 'listed', 'nobody'],
        default: 'stated',
        description:
          'Whom this site takes as members: those about whom it signed a statement, all whom it lists (the original signs nothing), or nobody',
      },
      vouches: {
        type: 'boolean',
        default: false,
        description: 'Whether keys of members that it states count as if they were written here',
      },
    },
  },
} as const
