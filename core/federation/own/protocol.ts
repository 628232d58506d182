/** Namespace of the dialect, and the feature by which a site shows that it speaks it. */
export const NAMESPACE = 'urn:fogbow:federation:1'
export const PROTOCOL_VERSION = '1'
/** A stanza has 48 KB at most; the rest is for its head and what servers add. */
export const MAX_INLINE_LENGTH = 45_000
/** Every site answers these by itself; the colon keeps them apart from methods of services. */
export const PING = ':ping'
export const STATUS = ':status'
export const MORE = ':more'
/** Items of a list that a site asks for at a time. */
export const PAGE_ITEMS = 500
/** How long the answer to a command is kept after the command expired. */
export const KEEP_ANSWER_MS = 7 * 86_400_000
